import {
  type Command,
  CommandFailed,
  type DatapathHost,
  type Observed,
  type ObservedNamespace,
  type ObservedPortSecurity,
} from '../host/host.ts'
import type { Namespace } from '../host/namespace.ts'
import type { Log } from '../observe/log.ts'
import { planBridgeRemoval, planBridges } from './plan/bridges.ts'
import type { Step } from './plan/step.ts'
import { planSwitchPorts } from './plan/switch-ports.ts'
import { type Desired, planForgetting, planNamespace } from './plan.ts'
import type { PortSecurity } from './port-security/elements.ts'
import { planPortSecurity } from './port-security/plan.ts'

export interface Datapath<D extends Desired> {
  readonly host: DatapathHost
  readonly log: Log
  readonly desired: () => D
  /** Kept from pass to pass. */
  readonly settled: Settled
  /** Whether what is not begun yet is to be left. */
  readonly isOver?: () => boolean
}

/** Namespaces, and the table of port security, found to be as they should be: nothing needs comparing again while both are the same objects. */
export type Settled = WeakMap<ObservedNamespace | ObservedPortSecurity, Namespace | PortSecurity>

/** What one pass did. Nothing done and nothing failed: all is as it should be. */
export interface Report {
  readonly done: readonly Done[]
  readonly failed: readonly Failed[]
}

/** `where` is the namespace, the bridge, the table or the network. */
export interface Done extends Step {
  readonly where: string
}

export interface Failed {
  readonly where: string
  /** undefined: the namespace could not even be looked into. */
  readonly command: Command | undefined
  readonly cause: Error
}

/** Namespaces worked on at once: enough to hide the start of a program, few enough for a small machine. */
const CONCURRENCY = 8

/** What one pass wanted, what it saw before it did anything, and what it did. */
export interface Pass<D extends Desired> {
  readonly desired: D
  readonly observed: Observed
  readonly report: Report
}

/** One pass: look, plan, act. A failure in one namespace or bridge does not stop the others; the next pass tries again.
 *  The log is told what was done; what failed is the caller's to tell, who knows whether that is news. */
export async function reconcileOnce<D extends Desired>(deps: Datapath<D>): Promise<Pass<D>> {
  const observed = await deps.host.observe()
  const desired = deps.desired()
  const report = { done: [] as Done[], failed: [...observed.unreadable].map(unreadable) }
  for (const phase of planPass(desired, observed, deps.settled)) {
    const waiting = phase.values()
    const worker = async () => {
      for (const job of waiting) if (!deps.isOver?.()) await perform(job, deps, report)
    }
    await Promise.all(Array.from({ length: Math.min(CONCURRENCY, phase.length) }, worker))
  }
  return { desired, observed, report }
}

/** All steps in one namespace, or one elsewhere. */
export interface Job {
  readonly where: string
  readonly steps: readonly Step[]
}

/**
 * What a pass has to do. Pure but for what it remembers.
 *
 * Phases follow one another: a device needs its bridge, a bridge goes when its ports have gone, and leases when their
 * dnsmasq has. What is plugged into Open vSwitch goes before anything is plugged in: two interfaces with one `iface-id`
 * leave OVN with neither (LP#1997092). Namespaces are begun in the order in which they are wanted.
 */
export function planPass(desired: Desired, observed: Observed, settled: Settled): readonly (readonly Job[])[] {
  const names = new Set([...desired.namespaces.keys(), ...observed.namespaces.keys()])
  const [leaving, namespaces]: [Job[], Job[]] = [[], []]
  for (const where of names) {
    if (observed.unreadable.has(where)) continue
    const wanted = desired.namespaces.get(where)
    const seen = observed.namespaces.get(where)
    if (seen !== undefined && wanted !== undefined && settled.get(seen) === wanted) continue
    const steps = planNamespace(wanted, seen)
    const isLeaving = wanted === undefined && seen?.devices.some(({ ifaceId }) => ifaceId !== undefined)
    if (steps.length > 0) (isLeaving ? leaving : namespaces).push({ where, steps })
    else if (seen !== undefined && wanted !== undefined) settled.set(seen, wanted)
  }
  return [
    [...planBridges(desired, observed).map(job), ...leaving, ...planSwitchPorts(desired, observed).map(job)],
    planGuard(desired, observed, settled).map(job),
    namespaces,
    [...planBridgeRemoval(desired, observed), ...planForgetting(desired, observed)].map(job),
  ]
}

/** Before namespaces, so that a new guest finds its port guarded when it finds anybody to ask. */
function planGuard({ portSecurity: wanted }: Desired, observed: Observed, settled: Settled): readonly Step[] {
  const seen = observed.portSecurity
  if (seen !== undefined && wanted !== undefined && settled.get(seen) === wanted) return []
  const steps = planPortSecurity(wanted, observed)
  // One with more than is wanted waits for something to be unplugged.
  if (steps.length === 0 && seen !== undefined && wanted?.elements.size === seen.elements.size)
    settled.set(seen, wanted)
  return steps
}

function job(step: Step): Job {
  return { where: whereOf(step.command), steps: [step] }
}

function whereOf(command: Command): string {
  if ('bridge' in command) return command.bridge.name
  if ('netns' in command) return command.netns
  if ('table' in command) return command.table
  return 'network' in command ? command.network : command.name
}

function unreadable([where, cause]: readonly [string, Error]): Failed {
  return { where, command: undefined, cause }
}

function label({ where, steps }: Job): readonly Done[] {
  return steps.map((step) => ({ where, ...step }))
}

async function perform(
  job: Job,
  { host, log }: Pick<Datapath<Desired>, 'host' | 'log'>,
  report: { done: Done[]; failed: Failed[] },
): Promise<void> {
  try {
    await host.execute(job.steps.map(({ command }) => command))
    note(label(job), log, report)
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error))
    const reached = job.steps.findIndex(({ command }) => cause instanceof CommandFailed && command === cause.command)
    const failed = job.steps[Math.max(reached, 0)]?.command
    note(label(job).slice(0, Math.max(reached, 0)), log, report)
    report.failed.push({ where: job.where, command: failed, cause })
  }
}

function note(done: readonly Done[], log: Log, report: { done: Done[] }): void {
  report.done.push(...done)
  for (const { where, command, reason } of done) log.info({ netns: where, command: command.kind, reason }, 'datapath')
}
