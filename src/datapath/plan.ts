import type { Command, Observed, ObservedBridge, ObservedDevice, ObservedNamespace } from '../host/host.ts'
import {
  type Bridge,
  type DefaultRoute,
  type Device,
  type Dnsmasq,
  type DnsmasqFiles,
  listenerKey,
  type Namespace,
} from '../host/namespace.ts'
import { ipVersion } from '../inventory/records/address.ts'

/** What this machine must carry of ours. */
export interface Desired {
  readonly bridges: ReadonlyMap<string, Bridge>
  readonly namespaces: ReadonlyMap<string, Namespace>
  /** Ids of all networks there are, served or not. undefined: not the question, leases of all stay. */
  readonly networks: ReadonlySet<string> | undefined
}

/** As at the end of a run, when records and leases stay. */
export const NOTHING: Desired = { bridges: new Map(), namespaces: new Map(), networks: undefined }

/** A command and why it is needed: `address 10.0.0.2/24 is missing`. */
export interface Step {
  readonly command: Command
  readonly reason: string
}

/**
 * What turns one namespace into the wanted one. Pure.
 *
 * Equal states need nothing. Adds come before deletes, so that a change never passes through "nothing"; sysctls come
 * before devices, which inherit them; listeners before dnsmasq, so that no guest gets a lease before it can ask.
 *
 * @param desired   undefined: it must not exist
 * @param observed  undefined: it does not exist
 */
export function planNamespace(
  desired: Namespace | undefined,
  observed: ObservedNamespace | undefined,
): readonly Step[] {
  if (desired === undefined) return observed === undefined || isLeft(observed) ? [] : planRemoval(observed)
  if (observed?.isEmptyName) return [...planRemoval(observed), ...planNamespace(desired, undefined)]
  const netns = desired.name
  const found = observed ?? emptyNamespace(netns)
  const replaced = found.devices.filter((device) => isReplaced(device, desired))
  const seen = without(found, replaced)
  return [
    ...(observed === undefined ? [step({ kind: 'netns-add', netns }, 'namespace is missing')] : []),
    ...(found.isOurs ? [] : [step({ kind: 'netns-claim', netns }, 'namespace is not marked')]),
    ...sysctlSteps(desired, seen),
    ...replaced.map((device) => step(removeDevice(netns, device), `${device.name} is another device`)),
    ...desired.devices.flatMap((device) => deviceSteps(netns, device, seen)),
    ...routeSteps(desired, seen),
    ...desired.listeners
      .filter((listener) => !seen.listening.has(listenerKey(listener)))
      .map((listener) =>
        step({ kind: 'listener-open', netns, listener }, `nobody listens on ${listenerKey(listener)}`),
      ),
    ...dnsmasqSteps(desired, seen),
    ...leftovers(desired, seen),
  ]
}

/** Bridges that are missing or differ. Those nobody wants are for `planBridgeRemoval`, when their ports are gone. */
export function planBridges(desired: Desired, observed: Observed): readonly Step[] {
  return [...desired.bridges.values()].flatMap((bridge) => {
    const seen = observed.bridges.get(bridge.name)
    if (seen === undefined) return [step({ kind: 'bridge-add', bridge }, 'bridge is missing')]
    const differs = bridgeDifference(bridge, seen)
    return [
      ...(seen.owner === 'nobody' ? [step({ kind: 'bridge-claim', name: bridge.name }, 'bridge is not marked')] : []),
      ...(differs === undefined ? [] : [step({ kind: 'bridge-set', bridge }, differs)]),
    ]
  })
}

/** Bridges nobody wants, once no port is left but those that go with their namespace in the same pass: a bridge that
 *  carries somebody's guest stays. */
export function planBridgeRemoval(desired: Desired, observed: Observed): readonly Step[] {
  const going = new Set(
    [...observed.namespaces.values()]
      .filter(({ name }) => !desired.namespaces.has(name))
      .flatMap(({ devices }) => devices.map(({ peer }) => peer)),
  )
  return [...observed.bridges.values()]
    .filter(({ name, owner }) => owner === 'us' && !desired.bridges.has(name))
    .filter(({ ports }) => ports.every((port) => going.has(port)))
    .map(({ name }) => step({ kind: 'bridge-delete', name }, 'no network wants the bridge'))
}

/** What dnsmasq keeps of networks that are no more. */
export function planForgetting({ networks }: Desired, { dhcpNetworks }: Observed): readonly Step[] {
  if (networks === undefined) return []
  return [...dhcpNetworks]
    .filter((network) => !networks.has(network))
    .map((network) => step({ kind: 'dhcp-delete', network }, 'the network is no more'))
}

/** One that nobody has marked may be somebody's who is just making it. */
function isLeft({ isOurs, isEmptyName }: ObservedNamespace): boolean {
  return !isOurs && !isEmptyName
}

function step(command: Command, reason: string): Step {
  return { command, reason }
}

function emptyNamespace(name: string): ObservedNamespace {
  return {
    name,
    isOurs: true,
    isEmptyName: false,
    sysctls: {},
    devices: [],
    defaultRoutes: [],
    listening: new Set(),
    dnsmasq: undefined,
  }
}

/** Sockets and processes first: each keeps a namespace alive after its name is gone. So would a stranger's process, and
 *  then only deleting the device frees its end on the bridge. */
function planRemoval({ name: netns, isEmptyName, dnsmasq, listening, devices }: ObservedNamespace): readonly Step[] {
  const reason = isEmptyName ? 'no namespace is behind the name' : 'no network wants the namespace'
  return [
    ...[...listening].map((key) => step({ kind: 'listener-close', netns, key }, reason)),
    ...(dnsmasq === undefined ? [] : [step({ kind: 'dnsmasq-stop', netns }, reason)]),
    ...devices.map(({ name, peer }) => step({ kind: 'device-delete', netns, name, peer }, reason)),
    step({ kind: 'netns-delete', netns }, reason),
  ]
}

function sysctlSteps({ name: netns, sysctls }: Namespace, seen: ObservedNamespace): readonly Step[] {
  return Object.entries(sysctls)
    .filter(([name, value]) => seen.sysctls[name] !== value)
    .map(([name, value]) =>
      step({ kind: 'sysctl-set', netns, name, value }, `${name} is ${seen.sysctls[name] ?? 'not set'}`),
    )
}

/** The MAC and the other end of a device are given once: another one of the same name has to go first. */
function isReplaced(seen: ObservedDevice, { devices }: Namespace): boolean {
  const wanted = devices.find(({ name }) => name === seen.name)
  return wanted !== undefined && (wanted.mac !== seen.mac || wanted.peer !== seen.peer)
}

/** What the kernel leaves of a namespace when devices go. */
function without(seen: ObservedNamespace, gone: readonly ObservedDevice[]): ObservedNamespace {
  const names = new Set(gone.map(({ name }) => name))
  const isGone = (key: string) => gone.some(({ name }) => key.includes(`%${name}]`))
  return {
    ...seen,
    devices: seen.devices.filter(({ name }) => !names.has(name)),
    defaultRoutes: seen.defaultRoutes.filter(({ device }) => !names.has(device)),
    listening: new Set([...seen.listening].filter((key) => !isGone(key))),
  }
}

function deviceSteps(netns: string, device: Device, { devices }: ObservedNamespace): readonly Step[] {
  const seen = devices.find(({ name }) => name === device.name)
  const differs = seen && deviceDifference(device, seen)
  return [
    ...(seen === undefined ? [step({ kind: 'device-add', netns, device }, `${device.name} is missing`)] : []),
    ...(differs === undefined ? [] : [step({ kind: 'device-set', netns, device }, differs)]),
    ...device.addresses
      .filter((address) => !seen?.addresses.includes(address))
      .map((address) =>
        step({ kind: 'address-add', netns, device: device.name, address }, `address ${address} is missing`),
      ),
  ]
}

function deviceDifference(device: Device, seen: ObservedDevice): string | undefined {
  if (seen.bridge !== device.bridge) return `${device.peer} is on ${seen.bridge || 'no bridge'}`
  if (seen.mtu !== device.mtu) return `${device.name} has MTU ${seen.mtu}`
  return seen.up ? undefined : `${device.name} is down`
}

function bridgeDifference(bridge: Bridge, seen: ObservedBridge): string | undefined {
  if (seen.mtu !== bridge.mtu) return `bridge has MTU ${seen.mtu}`
  return seen.up ? undefined : 'bridge is down'
}

function removeDevice(netns: string, { name, peer }: ObservedDevice): Command {
  return { kind: 'device-delete', netns, name, peer }
}

function routeSteps({ name: netns, defaultRoutes }: Namespace, seen: ObservedNamespace): readonly Step[] {
  return defaultRoutes
    .filter((route) => !seen.defaultRoutes.some((other) => isSameRoute(route, other)))
    .map((route) => step({ kind: 'default-route-set', netns, route }, `no default route by ${route.gateway}`))
}

function dnsmasqSteps({ name: netns, dnsmasq }: Namespace, { dnsmasq: seen }: ObservedNamespace): readonly Step[] {
  if (dnsmasq === null) return []
  if (seen === undefined) return [step({ kind: 'dnsmasq-start', netns, dnsmasq }, 'dnsmasq does not run')]
  if (!hasSameArguments(dnsmasq, seen)) {
    return [step({ kind: 'dnsmasq-restart', netns, dnsmasq }, 'dnsmasq runs with other arguments')]
  }
  const changed = changedFile(dnsmasq.files, seen.files)
  return changed === undefined ? [] : [step({ kind: 'dnsmasq-reload', netns, dnsmasq }, changed)]
}

function hasSameArguments(a: Pick<Dnsmasq, 'arguments'>, b: Pick<Dnsmasq, 'arguments'>): boolean {
  return a.arguments.length === b.arguments.length && a.arguments.every((argument, i) => argument === b.arguments[i])
}

function changedFile(wanted: DnsmasqFiles, read: DnsmasqFiles | undefined): string | undefined {
  if (read === undefined) return 'dnsmasq was started by an earlier run'
  const names = ['host', 'addn_hosts', 'opts'] as const
  const changed = names.filter((name) => wanted[name] !== read[name])
  return changed.length === 0 ? undefined : `${changed.join(', ')} changed`
}

/** What is there and not wanted, in a namespace that stays. */
function leftovers(desired: Namespace, seen: ObservedNamespace): readonly Step[] {
  const netns = desired.name
  const keys = new Set(desired.listeners.map(listenerKey))
  const wanted = new Map(desired.devices.map((device) => [device.name, device]))
  const stopped = desired.dnsmasq === null && seen.dnsmasq !== undefined
  return [
    ...(stopped ? [step({ kind: 'dnsmasq-stop', netns }, 'DHCP is off')] : []),
    ...[...seen.listening]
      .filter((key) => !keys.has(key))
      .map((key) => step({ kind: 'listener-close', netns, key }, 'metadata is not served here')),
    ...seen.defaultRoutes
      .filter((route) => !desired.defaultRoutes.some((other) => isSameFamily(route, other)))
      .map((route) => step({ kind: 'default-route-delete', netns, route }, 'no subnet has a gateway')),
    ...seen.devices.flatMap((device) => {
      const kept = wanted.get(device.name)
      if (kept === undefined) return [step(removeDevice(netns, device), 'no port wants the device')]
      return device.addresses
        .filter((address) => !kept.addresses.includes(address))
        .map((address) =>
          step({ kind: 'address-delete', netns, device: device.name, address }, 'no port has the address'),
        )
    }),
  ]
}

function isSameRoute(a: DefaultRoute, b: DefaultRoute): boolean {
  return a.gateway === b.gateway && a.device === b.device
}

function isSameFamily(a: DefaultRoute, b: DefaultRoute): boolean {
  return ipVersion(a.gateway) === ipVersion(b.gateway)
}
