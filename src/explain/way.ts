import type { Facts } from './facts.ts'
import type { Fault } from './fault.ts'
import { FAULTS } from './faults.ts'
import { HOPS, type Hop, STEPS, type Step, type StepId } from './steps.ts'

/** One way of carrying guests' questions: its stations and what can be wrong there. @template F  what it is judged by */
export interface Way<F extends Facts> {
  /** As the drawing shows them, from the guest on. */
  readonly hops: readonly Hop[]
  readonly steps: readonly Step<F>[]
  /** Causes before what follows from them. */
  readonly faults: readonly Fault<F>[]
}

/** Of these at least one must have been looked at before all can be called well. */
export const ESSENTIAL: ReadonlySet<StepId> = new Set(['namespace', 'agent'])

/** Bridges of this host, with DHCP and router namespaces. */
export const BRIDGES: Way<Facts> = { hops: HOPS, steps: STEPS, faults: FAULTS }
