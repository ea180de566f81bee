import type { Command } from './host.ts'
import { listenerKey } from './namespace.ts'

type Descriptions = { readonly [K in Command['kind']]: (command: Extract<Command, { kind: K }>) => string }

/** What a command attempts, for messages. */
const DESCRIPTIONS: Descriptions = {
  'bridge-add': ({ bridge }) => `creating bridge ${bridge.name}`,
  'bridge-claim': ({ name }) => `marking bridge ${name}`,
  'bridge-set': ({ bridge }) => `correcting bridge ${bridge.name}`,
  'bridge-delete': ({ name }) => `deleting bridge ${name}`,
  'netns-add': ({ netns }) => `creating namespace ${netns}`,
  'netns-claim': ({ netns }) => `marking namespace ${netns}`,
  'netns-delete': ({ netns }) => `deleting namespace ${netns}`,
  'sysctl-set': ({ netns, name, value }) => `setting ${name}=${value} in ${netns}`,
  'device-add': ({ netns, device }) => `creating veth pair ${device.name} in ${netns}`,
  'device-set': ({ netns, device }) => `correcting ${device.name} in ${netns}`,
  'device-delete': ({ netns, name }) => `deleting ${name} in ${netns}`,
  'address-add': ({ netns, device, address }) => `adding ${address} to ${device} in ${netns}`,
  'address-delete': ({ netns, device, address }) => `deleting ${address} from ${device} in ${netns}`,
  'route-set': ({ netns, route }) => `setting the route to ${route.destination} by ${route.gateway} in ${netns}`,
  'route-delete': ({ netns, route }) => `deleting the route to ${route.destination} by ${route.gateway} in ${netns}`,
  'firewall-set': ({ netns }) => `setting the firewall rules of ${netns}`,
  'listener-open': ({ netns, listener }) => `listening on ${listenerKey(listener)} in ${netns}`,
  'listener-close': ({ netns, key }) => `closing ${key} in ${netns}`,
  'program-start': ({ netns, program }) => `starting ${program.kind} in ${netns}`,
  'program-restart': ({ netns, program }) => `restarting ${program.kind} in ${netns}`,
  'program-reload': ({ netns, program }) => `reloading ${program.kind} in ${netns}`,
  'program-stop': ({ netns, program }) => `stopping ${program} in ${netns}`,
  'port-security-make': ({ table, elements }) => `making table ${table} with ${elements.length} elements`,
  'port-security-set': ({ table, add, remove }) =>
    `adding ${add.length} elements to table ${table} and removing ${remove.length}`,
  'port-security-delete': ({ table }) => `deleting table ${table}`,
  'dhcp-delete': ({ network }) => `deleting the leases of network ${network}`,
  'switch-port-delete': ({ name }) => `deleting port ${name} of Open vSwitch`,
}

export function describeCommand(command: Command): string {
  const describe = DESCRIPTIONS[command.kind] as (command: Command) => string
  return describe(command)
}
