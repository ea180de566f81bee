import type { Facts } from './facts.ts'
import { type Finding, findingsOf } from './fault.ts'
import type { Hop, Step } from './steps.ts'
import { ESSENTIAL, type Way } from './way.ts'

/** Why a guest gets its metadata, or does not. */
export interface Explanation {
  /** The id of the port; null: the server has none, or there is no such port. */
  readonly port: string | null
  readonly verdict: Verdict
  /** One sentence. */
  readonly sentence: string
  /** What is wrong, the cause first; empty when nothing is. */
  readonly findings: readonly Finding[]
  readonly steps: readonly ExplainedStep[]
  /** Stations as the drawing shows them; each has one step or several. */
  readonly hops: readonly Hop[]
}

/** `unknown`: nothing is wrong as far as anybody could look, and it could not be looked far enough. */
export type Verdict = 'well' | 'broken' | 'unknown'

export interface ExplainedStep extends Pick<Step, 'id' | 'on'> {
  /** `absent`: there is nothing of the kind on this way, nor should be. */
  readonly state: 'well' | 'risk' | 'broken' | 'unknown' | 'absent'
  readonly observed: string
}

/** Judges one guest's way by its facts. Pure. */
export function explain<F extends Facts>({ hops, ...way }: Way<F>, facts: F, name: string): Explanation {
  const findings = ranked(way.faults.flatMap((fault) => findingsOf(fault, facts)))
  const steps = way.steps.map((step) => explained(step, facts, findings))
  const [first] = findings
  const verdict = verdictOf(findings, steps)
  const sentence = sentenceOf(name, verdict, first, steps, facts)
  return { port: facts.records.port?.id ?? null, verdict, sentence, findings, steps, hops }
}

/** One port of a server. */
export interface PortOf {
  /** Which one, as a person would call it: its address. */
  readonly at: string
  readonly explanation: Explanation
}

const WORST: readonly Verdict[] = ['broken', 'unknown', 'well']

/**
 * What is said of a server by all its ports. One is enough for its guest: where a port is well, the guest asks by it, and
 * what is broken at others is a risk. Where none is, it is what is said of the worst. Pure.
 * @param name  of the server
 * @returns the fields of the port that is spoken of; undefined for no ports
 */
export function explainServer(name: string, ports: readonly PortOf[]): Explanation | undefined {
  const well = ports.filter(({ explanation }) => explanation.verdict === 'well')
  const broken = ports.filter(({ explanation }) => explanation.verdict === 'broken')
  const [spoken] = (well.length > 0 ? well : ports).map(({ explanation }) => explanation).toSorted(byUrgency)
  if (spoken === undefined || well.length === 0 || broken.length === 0) return spoken
  const risks = broken.flatMap(({ at, explanation: { findings } }) =>
    findings
      .filter(({ severity }) => severity === 'broken')
      .map((each): Finding => ({ ...each, severity: 'risk', observed: `${at}: ${each.observed}` })),
  )
  const not = broken.map(({ at, explanation: { findings } }) => `${at}: ${findings[0]?.observed} [${findings[0]?.id}]`)
  const by = well.map(({ at }) => at).join(' and ')
  const sentence = `${name} gets its metadata by its port at ${by}, but not by the one at ${not.join('; nor at ')}.`
  return { ...spoken, sentence, findings: [...spoken.findings, ...risks] }
}

/** The worst first; with risks before without. */
function byUrgency(a: Explanation, b: Explanation): number {
  const rankOf = ({ verdict, findings }: Explanation) => WORST.indexOf(verdict) * 2 + (findings.length > 0 ? 0 : 1)
  return rankOf(a) - rankOf(b)
}

/** What breaks before what might, causes before what follows from them, what concerns the guest before what concerns its
 *  host; else as the faults stand. */
function ranked(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted((a, b) => rank(a) - rank(b))
}

function rank({ severity, isSymptom, step }: Finding): number {
  if (severity === 'broken') return isSymptom ? 1 : 0
  if (isSymptom) return 4
  return step === 'service' ? 3 : 2
}

function explained<F extends Facts>({ id, on, tell }: Step<F>, facts: F, findings: readonly Finding[]): ExplainedStep {
  const own = findings.filter(({ step }) => step === id)
  const [worst] = own
  if (worst !== undefined)
    return { id, on, state: worst.severity, observed: own.map(({ observed }) => observed).join('; ') }
  const told = tell(facts)
  if ('value' in told) return { id, on, state: 'well', observed: told.value }
  if ('absent' in told) return { id, on, state: 'absent', observed: told.absent }
  return { id, on, state: 'unknown', observed: told.unknown }
}

function verdictOf(findings: readonly Finding[], steps: readonly ExplainedStep[]): Verdict {
  if (findings.some(({ severity }) => severity === 'broken')) return 'broken'
  const unseen = steps.filter(({ id, state }) => ESSENTIAL.has(id) && state === 'unknown')
  return unseen.length === 0 ? 'well' : 'unknown'
}

function sentenceOf(
  name: string,
  verdict: Verdict,
  first: Finding | undefined,
  steps: readonly ExplainedStep[],
  { path }: Facts,
): string {
  if (verdict === 'broken' && first !== undefined) return `${name} gets no metadata: ${first.observed} [${first.id}].`
  const risk = first === undefined ? '' : `, but ${first.observed} [${first.id}]`
  if (verdict === 'well') return `${name} gets its metadata by ${path.kind}${risk}.`
  const unseen = steps.filter(({ state }) => state === 'unknown').map(({ id }) => id)
  return `Nothing wrong is found with ${name}${risk}; not looked at: ${unseen.join(', ')}.`
}
