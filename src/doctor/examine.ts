import type { Check, Observation } from './check.ts'
import { clashChecks } from './checks/clashes.ts'
import { clockChecks } from './checks/clock.ts'
import { configurationChecks } from './checks/configuration.ts'
import { kernelChecks } from './checks/kernel.ts'
import { leftoverChecks } from './checks/leftovers.ts'
import { ovnChecks } from './checks/ovn.ts'
import { processChecks } from './checks/process.ts'
import { programChecks } from './checks/programs.ts'
import { stateChecks } from './checks/state.ts'
import type { Facts } from './facts.ts'

/** In the order in which they are told. */
export const CHECKS: readonly Check[] = [
  ...processChecks,
  ...programChecks,
  ...kernelChecks,
  ...stateChecks,
  ...clockChecks,
  ...configurationChecks,
  ...leftoverChecks,
  ...clashChecks,
  ...ovnChecks,
]

/** What one check found, one thing each. */
export interface Examined extends Observation {
  readonly check: string
  readonly expected: string
}

/** Judges a host by its facts. Pure. */
export function examineHost(facts: Facts): readonly Examined[] {
  return CHECKS.flatMap(({ name, expected, judge }) =>
    judge(facts).map((observation) => ({ check: name, expected, ...observation })),
  )
}
