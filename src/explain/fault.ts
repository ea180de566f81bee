import type { Facts, KnownHere } from './facts.ts'
import type { StepId } from './steps.ts'

/** `broken`: the guest gets no metadata, or not all of it. `risk`: it does, and something near it is not as it should be. */
export type Severity = 'broken' | 'risk'

/** One thing that can be wrong, by the name it keeps. @template F  what it is judged by */
export interface Fault<F extends Facts = Facts> {
  /** `dnsmasq-dead` */
  readonly id: string
  /** Where on the way. */
  readonly step: StepId
  readonly severity: Severity
  /** It follows from another fault more often than not: named only where nothing else is found. */
  readonly isSymptom?: true
  /** What the guest, or its owner, notices. */
  readonly symptom: string
  readonly cause: string
  /** How it is told from other faults. */
  readonly recognised: string
  readonly expected: string
  readonly mend: string
  /** Pure. @returns what was observed, one entry for each place; nothing when all is well or nobody could look */
  readonly judge: (facts: F) => readonly Spot[] | Spot | undefined
}

/** What was observed, with words that are better than the row's where it knows them. */
export type Spot = string | (Partial<Pick<Fault, 'severity' | 'mend' | 'expected'>> & { readonly observed: string })

export interface Finding extends Pick<Fault, 'id' | 'step' | 'severity' | 'expected' | 'mend'> {
  readonly observed: string
  readonly isSymptom: boolean
}

export function findingsOf<F extends Facts>(fault: Fault<F>, facts: F): readonly Finding[] {
  const { id, step, severity, expected, mend, isSymptom = false } = fault
  return spots(fault.judge(facts)).map((spot) => {
    const more = typeof spot === 'string' ? { observed: spot } : spot
    return { id, step, severity, expected, mend, isSymptom, ...more }
  })
}

function spots(found: readonly Spot[] | Spot | undefined): readonly Spot[] {
  if (found === undefined) return []
  return isList(found) ? found : [found]
}

function isList(found: readonly Spot[] | Spot): found is readonly Spot[] {
  return Array.isArray(found)
}

/** A fact where it is known. */
export function knownOf<T>(fact: KnownHere<T>): T | undefined {
  return 'value' in fact ? fact.value : undefined
}
