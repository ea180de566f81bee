import type { Observed } from '../../host/host.ts'
import type { Desired } from '../plan.ts'
import { type Step, step } from './step.ts'

/** Ports of Open vSwitch that we made, whose device went with its namespace while we were away. Nothing is concluded while
 *  there is a namespace that cannot be looked into. */
export function planSwitchPorts({ namespaces }: Pick<Desired, 'namespaces'>, observed: Observed): readonly Step[] {
  if (observed.switchPorts.size === 0 || observed.unreadable.size > 0) return []
  const known = [...namespaces.values(), ...observed.namespaces.values()].flatMap(({ devices }) => devices)
  const peers = new Set(known.map(({ peer }) => peer))
  return [...observed.switchPorts]
    .filter((name) => !peers.has(name))
    .map((name) => step({ kind: 'switch-port-delete', name }, 'no namespace has its other end'))
}
