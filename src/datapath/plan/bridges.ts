import type { Observed, ObservedBridge } from '../../host/host.ts'
import type { Bridge } from '../../host/namespace.ts'
import type { Desired } from '../plan.ts'
import { type Step, step } from './step.ts'

/** Bridges that are missing or differ. Those nobody wants are for `planBridgeRemoval`, when their ports are gone. */
export function planBridges(desired: Pick<Desired, 'bridges'>, observed: Observed): readonly Step[] {
  return [...desired.bridges.values()].flatMap((bridge) => {
    const seen = observed.bridges.get(bridge.name)
    if (seen === undefined) return [step({ kind: 'bridge-add', bridge }, 'bridge is missing')]
    const differs = difference(bridge, seen)
    return [
      ...(seen.owner === 'nobody' ? [step({ kind: 'bridge-claim', name: bridge.name }, 'bridge is not marked')] : []),
      ...(differs === undefined ? [] : [step({ kind: 'bridge-set', bridge }, differs)]),
    ]
  })
}

/** Bridges nobody wants, once no port is left but those that go with their namespace in the same pass: a bridge that
 *  carries somebody's guest stays. */
export function planBridgeRemoval(
  desired: Pick<Desired, 'bridges' | 'namespaces'>,
  observed: Observed,
): readonly Step[] {
  const unwanted = [...observed.bridges.values()].filter(
    ({ name, owner }) => owner === 'us' && !desired.bridges.has(name),
  )
  if (unwanted.length === 0) return []
  const going = new Set(
    [...observed.namespaces.values()]
      .flatMap(({ name, devices }) => {
        const kept = new Set(desired.namespaces.get(name)?.devices.map((device) => device.name))
        return devices.filter((device) => !kept.has(device.name))
      })
      .map(({ peer }) => peer),
  )
  return unwanted
    .filter(({ ports }) => ports.every((port) => going.has(port)))
    .map(({ name }) => step({ kind: 'bridge-delete', name }, 'no network wants the bridge'))
}

function difference(bridge: Bridge, seen: ObservedBridge): string | undefined {
  if (seen.mtu !== bridge.mtu) return `bridge has MTU ${seen.mtu}`
  return seen.up ? undefined : 'bridge is down'
}
