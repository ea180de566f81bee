import type { Observed, ObservedNamespace } from '../host/host.ts'
import { type Bridge, type Namespace, NO_FIREWALL } from '../host/namespace.ts'
import { deviceLeftovers, deviceSteps, isReplaced, removeDevice, without } from './plan/devices.ts'
import { firewallSteps } from './plan/firewall.ts'
import { clearingSteps, listenerLeftovers, listenerSteps } from './plan/listeners.ts'
import { programLeftovers, programSteps } from './plan/programs.ts'
import { routeLeftovers, routeSteps } from './plan/routes.ts'
import { type Step, step } from './plan/step.ts'
import type { PortSecurity } from './port-security/elements.ts'

/** What this machine must carry of ours. */
export interface Desired {
  readonly bridges: ReadonlyMap<string, Bridge>
  readonly namespaces: ReadonlyMap<string, Namespace>
  /** What guests may send as; undefined: nobody guards them. */
  readonly portSecurity: PortSecurity | undefined
  /** Ids of all networks there are, served or not. undefined: not the question, leases of all stay. */
  readonly networks: ReadonlySet<string> | undefined
}

/** As at the end of a run, when records and leases stay. */
export const NOTHING: Desired = {
  bridges: new Map(),
  namespaces: new Map(),
  portSecurity: undefined,
  networks: undefined,
}

/**
 * What turns one namespace into the wanted one. Pure.
 *
 * Equal states need nothing. Adds come before deletes, so that a change never passes through "nothing"; sysctls come
 * before devices, which inherit them; rules of the packet filter before devices, so that no packet slips through;
 * listeners before dnsmasq, so that no guest gets a lease before it can ask. A haproxy and our own sockets relieve each
 * other: the one that comes listens beside the one that goes. Only what stands in the way of an add goes before it: a
 * device that has to be made anew, a socket of ours where another of ours is to listen.
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
    ...firewallSteps(desired, seen),
    ...replaced.map((device) => step(removeDevice(netns, device), `${device.name} is another device`)),
    ...desired.devices.flatMap((device) => deviceSteps(netns, device, seen)),
    ...routeSteps(desired, seen),
    ...clearingSteps(desired, seen),
    ...listenerSteps(desired, seen),
    ...programSteps(desired, seen),
    ...programLeftovers(desired, seen),
    ...listenerLeftovers(desired, seen),
    ...routeLeftovers(desired, seen),
    ...deviceLeftovers(desired, seen),
  ]
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

function emptyNamespace(name: string): ObservedNamespace {
  return {
    name,
    isOurs: true,
    isEmptyName: false,
    sysctls: {},
    devices: [],
    routes: [],
    firewall: NO_FIREWALL,
    listening: new Set(),
    programs: [],
  }
}

/** Sockets and processes first: each keeps a namespace alive after its name is gone. So would a stranger's process, and
 *  then only deleting the device frees its end on the bridge. */
function planRemoval({ name: netns, isEmptyName, programs, listening, devices }: ObservedNamespace): readonly Step[] {
  const reason = isEmptyName ? 'no namespace is behind the name' : 'no record wants the namespace'
  return [
    ...[...listening].map((key) => step({ kind: 'listener-close', netns, key }, reason)),
    ...programs.map(({ kind }) => step({ kind: 'program-stop', netns, program: kind }, reason)),
    ...devices.map((device) => step(removeDevice(netns, device), reason)),
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
