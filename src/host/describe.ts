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
  'default-route-set': ({ netns, route }) => `setting the default route by ${route.gateway} in ${netns}`,
  'default-route-delete': ({ netns, route }) => `deleting the default route by ${route.gateway} in ${netns}`,
  'listener-open': ({ netns, listener }) => `listening on ${listenerKey(listener)} in ${netns}`,
  'listener-close': ({ netns, key }) => `closing ${key} in ${netns}`,
  'dnsmasq-start': ({ netns }) => `starting dnsmasq in ${netns}`,
  'dnsmasq-restart': ({ netns }) => `restarting dnsmasq in ${netns}`,
  'dnsmasq-reload': ({ netns }) => `reloading dnsmasq in ${netns}`,
  'dnsmasq-stop': ({ netns }) => `stopping dnsmasq in ${netns}`,
  'dhcp-delete': ({ network }) => `deleting the leases of network ${network}`,
}

export function describeCommand(command: Command): string {
  const describe = DESCRIPTIONS[command.kind] as (command: Command) => string
  return describe(command)
}
