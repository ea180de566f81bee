import type { Command, DatapathHost, Observed, ObservedNamespace } from '../host/host.ts'
import type { Inventory } from '../inventory/store.ts'
import type { Log } from '../observe/log.ts'
import type { DesiredAt } from './desired.ts'
import { History } from './history.ts'
import { NOTHING } from './plan.ts'
import { type Job, planPass, type Report, reconcileOnce, type Settled } from './reconcile.ts'
import { troubleNews } from './trouble-news.ts'

/** How long drift that announces itself by nothing (a deleted address) may last. */
const PERIOD_MILLISECONDS = 2_000

/** Where what is wanted is known from: the inventory, or OVN's databases. */
export interface Source<Records> {
  /** Until then, nothing may be taken for an orphan. */
  readonly ready: Promise<void>
  readonly records: Records
  /** Another one for other records. */
  readonly sequence: number
  onChange(listener: () => void): () => void
}

export interface ReconcilerDeps<Records> {
  readonly source: Source<Records>
  readonly desired: (records: Records, nowSeconds: number) => DesiredAt
  /** What to listen on again in a namespace that an earlier run left. */
  readonly resume: (observed: ObservedNamespace) => readonly Command[]
  readonly host: DatapathHost
  readonly log: Log
  readonly periodMilliseconds?: number
  /** Told of each pass; undefined: it could not even look. */
  readonly onPass?: (report: Report | undefined, milliseconds: number) => void
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** What is wanted, what the last pass saw before it did anything, and what came of it. */
export interface State {
  readonly desired: DesiredAt
  readonly observed: Observed
  readonly history: History
  /** When the last pass ended, milliseconds since 1970. */
  readonly at: number
}

const NOTHING_AT_ALL: DesiredAt = { ...NOTHING, decisions: [], until: undefined }
const NOTHING_DONE: Report = { done: [], failed: [] }

/** Keeps this machine as the source wants it. Events only say "look again": one pass runs at a time, and all that
 *  happens meanwhile is one more pass. Whoever asks for a look before the source is ready gets none: all that an earlier run
 *  left would be an orphan. */
export class Reconciler<Records = Inventory['records']> {
  readonly #deps: ReconcilerDeps<Records>
  readonly #endings: (() => void)[] = []
  #resuming: Promise<void> | undefined
  #running: Promise<Report> | undefined
  #next: Promise<Report> | undefined
  #wanted: { readonly sequence: number; readonly desired: DesiredAt } | undefined
  #isReady = false
  #isStopped = false
  #isTornDown = false
  /** Why the last pass could not even look; empty when it could. */
  #blindness = ''
  #state: State | undefined
  readonly #settled: Settled = new WeakMap()
  readonly #history = new History()

  constructor(deps: ReconcilerDeps<Records>) {
    this.#deps = deps
    const becomeReady = () => {
      this.#isReady = true
    }
    deps.source.ready.then(becomeReady, () => undefined) // `start` says why not
  }

  /** Listens again where an earlier run did, waits for the source, makes a first pass, and from then on looks after each
   *  event and every period. Failures of single namespaces are in the report. Once it is stopped there is nothing to start. */
  async start(): Promise<Report> {
    const { source, host, log, periodMilliseconds = PERIOD_MILLISECONDS } = this.#deps
    this.#resuming = this.#resume()
    await this.#resuming
    await source.ready
    if (this.#isStopped) return NOTHING_DONE
    const report = await this.look()
    if (this.#isStopped) return report
    const timer = setInterval(() => this.#lookAgain(), periodMilliseconds)
    this.#endings.push(
      () => clearInterval(timer),
      source.onChange(() => this.#lookAgain()),
      host.onDrift((what) => {
        log.warn({ what }, 'datapath drift')
        this.#lookAgain()
      }),
    )
    return report
  }

  /** Whether it is known what is wanted. Until then a look does nothing. */
  get isReady(): boolean {
    return this.#isReady
  }

  /** Resolves with the report of a pass that began after this call; of nothing at all, at once, before the source is ready. */
  look(): Promise<Report> {
    if (this.#next !== undefined) return this.#next
    if (this.#running === undefined) return this.#begin()
    this.#next = this.#running.then(
      () => this.#begin(),
      () => this.#begin(),
    )
    return this.#next
  }

  /** As `look`, with what is wanted worked out anew: something other than the records has changed. Before the source is
   *  ready that is for the first pass to see. */
  lookAnew(): Promise<Report> {
    this.#wanted = undefined
    return this.look()
  }

  /** undefined until the first pass has ended. */
  get state(): State | undefined {
    return this.#state
  }

  /** What a pass would do now if the records were these. Does nothing. */
  async preview(records?: Records): Promise<readonly (readonly Job[])[]> {
    const { source, desired, host } = this.#deps
    await source.ready
    const wanted = records === undefined ? this.#desired() : desired(records, this.#nowSeconds())
    return planPass(wanted, await host.observe(), new WeakMap())
  }

  /** Ends looking, and leaves everything as it is: guests keep their DHCP while we are away. A pass that runs begins nothing
   *  more. */
  async stop(): Promise<void> {
    this.#isStopped = true
    for (const end of this.#endings.splice(0)) end()
    await this.#resuming?.catch(() => undefined)
    await this.#running?.catch(() => undefined)
    await this.#next?.catch(() => undefined)
  }

  /** Ends looking and removes everything of ours. What fails is tried once more: there is no later pass. */
  async teardown(): Promise<Report> {
    await this.stop()
    this.#isTornDown = true
    const report = await this.look()
    return report.failed.length === 0 ? report : this.look()
  }

  async #resume(): Promise<void> {
    const { host, log, resume } = this.#deps
    if (this.#isStopped) return
    for (const [netns, observed] of (await host.observe()).namespaces) {
      try {
        await host.execute(resume(observed))
      } catch (error) {
        log.warn({ netns, err: error }, 'cannot listen where an earlier run did')
      }
    }
  }

  #begin(): Promise<Report> {
    this.#next = undefined
    const pass = this.#pass().finally(() => {
      this.#running = undefined
    })
    this.#running = pass
    return pass
  }

  async #pass(): Promise<Report> {
    const { host, log, onPass } = this.#deps
    if (!this.#isReady && !this.#isTornDown) await Promise.resolve() // a source that was ready from the first says so by then
    if (!this.#isReady && !this.#isTornDown) return NOTHING_DONE
    const started = performance.now()
    const pass = reconcileOnce({
      host,
      log,
      desired: () => this.#desired(),
      settled: this.#settled,
      isOver: () => this.#isStopped && !this.#isTornDown,
    })
    pass.catch(() => onPass?.(undefined, performance.now() - started))
    const { desired, observed, report } = await pass
    onPass?.(report, performance.now() - started)
    const at = this.#now()
    const before = this.#history.troubles
    this.#history.add(report, at)
    for (const { level, where, message, ...more } of troubleNews(before, this.#history.troubles))
      log[level]({ netns: where, ...more }, message)
    this.#blindness = ''
    this.#state = { desired, observed, history: this.#history, at }
    return report
  }

  /** Worked out again when the records have changed, or the time has come that the last answer named. */
  #desired(): DesiredAt {
    const { source, desired } = this.#deps
    if (this.#isTornDown) return NOTHING_AT_ALL
    const now = this.#nowSeconds()
    const { sequence, desired: known } = this.#wanted ?? {}
    if (known !== undefined && sequence === source.sequence && now < (known.until ?? Number.POSITIVE_INFINITY))
      return known
    const fresh = desired(source.records, now)
    this.#wanted = { sequence: source.sequence, desired: fresh }
    return fresh
  }

  #now(): number {
    return (this.#deps.now ?? Date.now)()
  }

  #nowSeconds(): number {
    return Math.floor(this.#now() / 1_000)
  }

  #lookAgain(): void {
    this.look().catch((error: unknown) => {
      const why = String(error)
      if (why !== this.#blindness) this.#deps.log.error({ err: error }, 'datapath could not be looked at')
      this.#blindness = why
    })
  }
}
