import type { Known } from '../host/examine/known.ts'
import type { Facts } from './facts.ts'

/** One thing that must hold of a host. */
export interface Check {
  /** `clashes/metadata-address`: its group and its own name. They do not change. */
  readonly name: string
  /** One sentence. */
  readonly expected: string
  /** Pure. What was found, one entry for each thing that is not as expected, or one that says all is well. */
  readonly judge: (facts: Facts) => readonly Observation[]
}

export type Severity = 'ok' | 'warning' | 'error' | 'unknown'

export interface Observation {
  readonly severity: Severity
  readonly observed: string
  /** What to do; absent when there is nothing to do. */
  readonly mend?: string
}

export function well(observed: string): Observation {
  return { severity: 'ok', observed }
}

/** Something works less well than it could, or will not for somebody. */
export function warning(observed: string, mend: string): Observation {
  return { severity: 'warning', observed, mend }
}

/** Guests will not get what they should. */
export function error(observed: string, mend: string): Observation {
  return { severity: 'error', observed, mend }
}

/** It could not be looked at. */
export function unknown(why: string): Observation {
  return { severity: 'unknown', observed: why }
}

/** Judges what is known, and says so of what is not. */
export function ifKnown<T>(fact: Known<T>, judge: (value: T) => readonly Observation[]): readonly Observation[] {
  return 'value' in fact ? judge(fact.value) : [unknown(fact.unknown)]
}

/** All is well when nothing was found. */
export function unless(found: readonly Observation[], otherwise: string): readonly Observation[] {
  return found.length === 0 ? [well(otherwise)] : found
}
