import { writeFileSync } from 'node:fs'
import { type Action, ip } from './actions.ts'
import type { DnsmasqProcesses } from './dnsmasq.ts'
import type { Command } from './host.ts'
import * as lines from './ip-commands.ts'
import { deviceIndex } from './libc.ts'
import { makeBridge, makeNetns, removeDevice, removeNetns } from './links.ts'
import type { NamespaceSockets } from './listeners.ts'
import { inNamespace, netnsPath } from './netns.ts'
import { sysctlPath } from './netns-reader.ts'
import type { Link } from './rtnetlink.ts'

/** What commands act on besides the kernel. */
export interface Parts {
  /** What bridges and namespaces we make are marked with. */
  readonly mark: string
  readonly listeners: NamespaceSockets
  readonly dnsmasq: DnsmasqProcesses
  readonly linksOf: (netns: string) => readonly Link[]
  /** Lets go of everything that keeps the namespace alive. */
  readonly release: (netns: string) => Promise<void>
}

type Actions = { readonly [K in Command['kind']]: (command: Extract<Command, { kind: K }>) => readonly Action[] }

/** How each command is carried out. */
export function commandActions({
  mark,
  listeners,
  dnsmasq,
  linksOf,
  release,
}: Parts): (command: Command) => readonly Action[] {
  const actions: Actions = {
    'bridge-add': ({ bridge }) => [{ act: () => makeBridge(bridge, mark) }],
    'bridge-claim': ({ name }) => ip([lines.markBridge(name, mark)]),
    'bridge-set': ({ bridge }) => ip(lines.setBridge(bridge)),
    'bridge-delete': ({ name }) => [{ act: () => removeDevice(name) }],
    'netns-add': ({ netns }) => [{ act: () => makeNetns(netns) }, ...ip([lines.raiseLoopback(mark)], netns)],
    'netns-claim': ({ netns }) => ip([lines.raiseLoopback(mark)], netns),
    'netns-delete': ({ netns }) => [{ act: () => release(netns) }, { act: () => removeNetns(netns) }],
    'sysctl-set': ({ netns, name, value }) => [{ act: () => setSysctl(netns, name, value) }],
    'device-add': ({ netns, device }) => [
      { act: () => removeDevice(device.peer) },
      ...ip(lines.addVeth({ ...device, inner: device.name, netns })),
      ...ip(lines.setDevice(device).inside, netns),
    ],
    'device-set': ({ netns, device }) => [
      ...ip(lines.setDevice(device).outside),
      ...ip(lines.setDevice(device).inside, netns),
    ],
    // By the host's end where there is one: it goes at once, the other only when the kernel gets round to it.
    'device-delete': ({ netns, name, peer }) =>
      peer !== '' && deviceIndex(peer) !== 0
        ? [{ act: () => removeDevice(peer) }]
        : ip([['link', 'delete', name]], netns),
    'address-add': ({ netns, device, address }) => ip([lines.addAddress(device, address)], netns),
    'address-delete': ({ netns, device, address }) => ip([lines.deleteAddress(device, address)], netns),
    'default-route-set': ({ netns, route }) => ip([lines.setDefaultRoute(route)], netns),
    'default-route-delete': ({ netns, route }) => ip([lines.deleteDefaultRoute(route)], netns),
    'listener-open': ({ netns, listener }) => [{ act: () => listeners.open(netns, listener, linksOf(netns)) }],
    'listener-close': ({ netns, key }) => [{ act: () => listeners.close(netns, key) }],
    'dnsmasq-start': ({ netns, dnsmasq: wanted }) => [{ act: () => dnsmasq.start(netns, wanted) }],
    'dnsmasq-restart': ({ netns, dnsmasq: wanted }) => [
      { act: () => dnsmasq.stop(netns) },
      { act: () => dnsmasq.start(netns, wanted) },
    ],
    'dnsmasq-reload': ({ netns, dnsmasq: wanted }) => [{ act: () => dnsmasq.reload(netns, wanted) }],
    'dnsmasq-stop': ({ netns }) => [{ act: () => dnsmasq.stop(netns) }],
    'dhcp-delete': ({ network }) => [{ act: () => dnsmasq.forget(network) }],
  }
  return (command) => (actions[command.kind] as (command: Command) => readonly Action[])(command)
}

function setSysctl(netns: string, name: string, value: string): void {
  inNamespace<void>(netnsPath(netns), () => writeFileSync(sysctlPath(name), value))
}
