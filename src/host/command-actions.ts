import { writeFileSync } from 'node:fs'
import type { Action } from './actions.ts'
import { errorCode } from './errors.ts'
import type { Command } from './host.ts'
import { ipBatch } from './iproute.ts'
import type { KeptPrograms } from './kept-programs/kept-programs.ts'
import * as links from './link-changes.ts'
import { makeBridge, makeNetns, removeDevice, removeNetns } from './links.ts'
import type { NamespaceSockets } from './listeners.ts'
import type { Device, Firewall, Listener } from './namespace.ts'
import { inNamespace, netnsPath } from './netns.ts'
import { sysctlPath } from './netns-reader.ts'
import { computeChecksums } from './offload.ts'
import type { PortSecurityTable } from './port-security/kept-table.ts'
import type { PortSwitch } from './port-switch.ts'
import { deviceIndex, type Link } from './rtnetlink.ts'
import { keepWaitingConnections } from './sockets.ts'

/** What commands act on besides the kernel. */
export interface Parts {
  /** What bridges and namespaces we make are marked with. */
  readonly mark: string
  readonly listeners: NamespaceSockets
  readonly programs: KeptPrograms
  readonly portSecurity: Pick<PortSecurityTable, 'make' | 'change' | 'remove'>
  readonly ports: PortSwitch
  readonly linksOf: (netns: string) => readonly Link[]
  /** Lets the namespace be read again at the next look, for what the kernel does not announce even when we do it. */
  readonly expire: (netns: string) => void
  readonly setFirewall: (netns: string, firewall: Firewall) => Promise<void>
  /** Lets go of everything that keeps the namespace alive. */
  readonly release: (netns: string) => Promise<void>
}

type Actions = { readonly [K in Command['kind']]: (command: Extract<Command, { kind: K }>) => readonly Action[] }

/** How each command is carried out. */
export function commandActions({
  mark,
  listeners,
  programs,
  portSecurity,
  ports,
  linksOf,
  expire,
  setFirewall,
  release,
}: Parts): (command: Command) => readonly Action[] {
  const actions: Actions = {
    'bridge-add': ({ bridge }) => [() => makeBridge(bridge, mark)],
    'bridge-claim': ({ name }) => [() => links.markLink(name, mark)],
    'bridge-set': ({ bridge }) => [() => links.setBridge(bridge)],
    'bridge-delete': ({ name }) => [() => removeDevice(name)],
    'netns-add': ({ netns }) => [() => makeNetns(netns), () => inside(netns, () => links.raiseLoopback(mark))],
    'netns-claim': ({ netns }) => [() => inside(netns, () => links.raiseLoopback(mark))],
    'netns-delete': ({ netns }) => [() => release(netns), () => removeNetns(netns)],
    'sysctl-set': ({ netns, name, value }) => [
      () => inside(netns, () => writeFileSync(sysctlPath(name), value)),
      () => expire(netns),
    ],
    'device-add': ({ netns, device }) => [
      () => unplug(device.peer),
      () => removeDevice(device.peer),
      () => links.addVeth({ ...device, bridge: kernelBridge(device), inner: device.name, netns }),
      () => correctDevice(netns, device),
      () => plug(device),
    ],
    'device-set': ({ netns, device }) => [() => correctDevice(netns, device), () => plug(device)],
    'device-delete': ({ netns, name, peer }) => [() => unplug(peer), () => deleteDevice(netns, name, peer)],
    'address-add': ({ netns, device, address }) => [() => inside(netns, () => links.addAddress(device, address))],
    'address-delete': ({ netns, device, address }) => [() => inside(netns, () => links.deleteAddress(device, address))],
    'route-set': ({ netns, route }) => [() => inside(netns, () => links.setRoute(route))],
    'route-delete': ({ netns, route }) => [() => inside(netns, () => links.deleteRoute(route))],
    'firewall-set': ({ netns, firewall }) => [() => setFirewall(netns, firewall)],
    'listener-open': ({ netns, listener, beside = false }) => [() => openBeside(netns, listener, beside)],
    'listener-close': ({ netns, key, relieved = false }) => [() => listeners.close(netns, key, relieved)],
    'program-start': ({ netns, program, beside = [] }) => [
      ...(beside.length === 0 ? [] : [() => inside(netns, keepWaitingConnections)]),
      ...beside.map((key) => () => listeners.share(netns, key)),
      () => programs.start(netns, program),
    ],
    'program-restart': ({ netns, program }) => [
      ...(program.kind === 'haproxy' ? [() => inside(netns, keepWaitingConnections)] : []),
      () => programs.restart(netns, program),
    ],
    'program-reload': ({ netns, program }) => [() => programs.reload(netns, program)],
    'program-stop': ({ netns, program, relieved = false }) =>
      relieved
        ? [() => inside(netns, keepWaitingConnections), () => programs.relieve(netns, program)]
        : [() => programs.stop(netns, program)],
    'port-security-make': ({ elements }) => [() => portSecurity.make(elements)],
    'port-security-set': ({ add, remove }) => [() => portSecurity.change(add, remove)],
    'port-security-delete': () => [() => portSecurity.remove()],
    'dhcp-delete': ({ network }) => [() => programs.forget(network)],
    'switch-port-delete': ({ name }) => [() => unplug(name)],
  }
  /** One that another user started, as an earlier run of ours may have been, shares no place with us: it goes before. */
  async function openBeside(netns: string, listener: Listener, beside: boolean): Promise<void> {
    try {
      await listeners.open(netns, listener, linksOf(netns), beside)
    } catch (error) {
      if (!beside || errorCode(error) !== 'EADDRINUSE') throw error
      await programs.stop(netns, 'haproxy')
      await listeners.open(netns, listener, linksOf(netns))
    }
  }
  async function plug({ peer, bridge, ifaceId }: Device): Promise<void> {
    if (ifaceId !== undefined) await ports.plug(peer, { bridge, ifaceId })
  }
  async function unplug(peer: string): Promise<void> {
    if (ports.port(peer) !== undefined) await ports.unplug(peer)
  }
  return (command) => (actions[command.kind] as (command: Command) => readonly Action[])(command)
}

function kernelBridge({ bridge, ifaceId }: Device): string | null {
  return ifaceId === undefined ? bridge : null
}

function inside(netns: string, act: () => void): void {
  inNamespace<void>(netnsPath(netns), act)
}

function correctDevice(netns: string, device: Device): void {
  links.setOutside({ ...device, bridge: kernelBridge(device) })
  computeChecksums(device.peer)
  inside(netns, () => {
    links.setInside(device)
    computeChecksums(device.name)
  })
}

/** By the host's end where there is one: it goes at once, the other only when the kernel gets round to it. */
async function deleteDevice(netns: string, name: string, peer: string): Promise<void> {
  if (peer !== '' && deviceIndex(peer) !== 0) await removeDevice(peer)
  else await ipBatch([['link', 'delete', name]], netns)
}
