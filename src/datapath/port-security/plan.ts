import type { Observed, ObservedPortSecurity } from '../../host/host.ts'
import { type Element, element, parseElement } from '../../host/port-security/elements.ts'
import { type Step, step } from '../plan/step.ts'
import type { PortSecurity } from './elements.ts'

/** Differences that a reason names; how many more there are, it only says. */
const NAMED = 2

/**
 * What makes the table of this machine as wanted: all of it anew where its rules are not ours, else the difference. Pure.
 *
 * A guest that is still plugged in when its port is deleted is cut off: unguarded it could take any address, and those it had
 * may be another's by now. Only when its device is gone is it forgotten.
 */
export function planPortSecurity(
  wanted: PortSecurity | undefined,
  { portSecurity: seen, bridges }: Pick<Observed, 'portSecurity' | 'bridges'>,
): readonly Step[] {
  if (seen === undefined) return []
  const { table, exists, damage } = seen
  const plugged = new Set([...bridges.values()].flatMap(({ ports }) => ports))
  const elements = new Set(wanted === undefined ? [] : [...wanted.elements, ...cutOff(wanted, seen, plugged)])
  if (elements.size === 0)
    return exists ? [step({ kind: 'port-security-delete', table }, 'no port is to be guarded')] : []
  const wrong = exists ? damage : 'the table is missing'
  if (wrong !== undefined) return [step({ kind: 'port-security-make', table, elements: [...elements] }, wrong)]
  const add = [...elements].filter((each) => !seen.elements.has(each))
  const remove = [...seen.elements].filter((each) => !elements.has(each))
  if (add.length === 0 && remove.length === 0) return []
  return [step({ kind: 'port-security-set', table, add, remove }, reasonFor(add, remove))]
}

/** Devices that were guarded, are of no port, and are there. */
function cutOff(
  { devices }: PortSecurity,
  { elements }: ObservedPortSecurity,
  plugged: ReadonlySet<string>,
): readonly Element[] {
  const orphans = [...elements]
    .map(parseElement)
    .filter(({ set, device }) => set === 'ports' && !devices.has(device) && plugged.has(device))
  return orphans.map(({ device }) => element('ports', device))
}

function reasonFor(add: readonly Element[], remove: readonly Element[]): string {
  const differences = [...add.map((each) => `lacks ${each}`), ...remove.map((each) => `has ${each} too much`)]
  const more = differences.length - NAMED
  return [...differences.slice(0, NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}
