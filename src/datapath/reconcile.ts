import { type Command, CommandFailed, type DatapathHost, type Observed } from '../host/host.ts'
import type { Log } from '../observe/log.ts'
import { type Desired, planBridgeRemoval, planBridges, planForgetting, planNamespace, type Step } from './plan.ts'

export interface Datapath {
  readonly host: DatapathHost
  readonly log: Log
  readonly desired: () => Desired
}

/** What one pass did. Nothing done and nothing failed: all is as it should be. */
export interface Report {
  readonly done: readonly Done[]
  readonly failed: readonly Failed[]
}

/** `where` is the namespace, the bridge or the network. */
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

/** One pass: look, plan, act. A failure in one namespace or bridge does not stop the others; the next pass tries again. */
export async function reconcileOnce(deps: Datapath): Promise<Report> {
  const observed = await deps.host.observe()
  const report = { done: [] as Done[], failed: [...observed.unreadable].map(unreadable) }
  for (const { where, cause } of report.failed)
    deps.log.warn({ netns: where, err: cause.message }, 'netns is unreadable')
  for (const phase of jobs(deps.desired(), observed)) {
    const waiting = phase.values()
    const worker = async () => {
      for (const job of waiting) await perform(job, deps, report)
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  }
  return report
}

interface Job {
  readonly where: string
  readonly steps: readonly Step[]
}

/** Phases that follow one another: a device needs its bridge, a bridge goes when its ports have gone, and leases when
 *  their dnsmasq has. */
function jobs(desired: Desired, observed: Observed): readonly (readonly Job[])[] {
  const names = new Set([...desired.namespaces.keys(), ...observed.namespaces.keys()])
  const namespaces = [...names]
    .filter((where) => !observed.unreadable.has(where))
    .map((where) => ({ where, steps: planNamespace(desired.namespaces.get(where), observed.namespaces.get(where)) }))
    .filter(({ steps }) => steps.length > 0)
  return [
    planBridges(desired, observed).map(job),
    namespaces,
    [...planBridgeRemoval(desired, observed), ...planForgetting(desired, observed)].map(job),
  ]
}

function job(step: Step): Job {
  return { where: whereOf(step.command), steps: [step] }
}

function whereOf(command: Command): string {
  if ('bridge' in command) return command.bridge.name
  if ('name' in command) return command.name
  return 'network' in command ? command.network : command.netns
}

function unreadable([where, cause]: readonly [string, Error]): Failed {
  return { where, command: undefined, cause }
}

function label({ where, steps }: Job): readonly Done[] {
  return steps.map((step) => ({ where, ...step }))
}

async function perform(job: Job, { host, log }: Datapath, report: { done: Done[]; failed: Failed[] }): Promise<void> {
  try {
    await host.execute(job.steps.map(({ command }) => command))
    note(label(job), log, report)
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error))
    const reached = job.steps.findIndex(({ command }) => cause instanceof CommandFailed && command === cause.command)
    const failed = job.steps[Math.max(reached, 0)]?.command
    note(label(job).slice(0, Math.max(reached, 0)), log, report)
    log.warn({ netns: job.where, command: failed?.kind, err: cause.message }, 'datapath command failed')
    report.failed.push({ where: job.where, command: failed, cause })
  }
}

function note(done: readonly Done[], log: Log, report: { done: Done[] }): void {
  report.done.push(...done)
  for (const { where, command, reason } of done) log.info({ netns: where, command: command.kind, reason }, 'datapath')
}
