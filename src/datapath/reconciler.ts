import type { DatapathHost } from '../host/host.ts'
import type { Inventory } from '../inventory/store.ts'
import type { Log } from '../observe/log.ts'
import { resumedListeners } from './dhcp/resume.ts'
import { type Desired, NOTHING } from './plan.ts'
import { type Report, reconcileOnce } from './reconcile.ts'

/** How long drift that announces itself by nothing (a deleted address) may last. */
const PERIOD_MILLISECONDS = 2_000

export interface ReconcilerDeps {
  readonly inventory: Pick<Inventory, 'ready' | 'records' | 'sequence' | 'onChange'>
  readonly desired: (records: Inventory['records']) => Desired
  readonly host: DatapathHost
  readonly log: Log
  readonly periodMilliseconds?: number
}

/** Keeps this machine as the inventory wants it. Events only say "look again": one pass runs at a time, and all that
 *  happens meanwhile is one more pass. */
export class Reconciler {
  readonly #deps: ReconcilerDeps
  readonly #endings: (() => void)[] = []
  #running: Promise<Report> | undefined
  #next: Promise<Report> | undefined
  #wanted: { readonly sequence: number; readonly desired: Desired } | undefined
  #isTornDown = false

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps
  }

  /** Listens again where an earlier run did, waits for the inventory (until it is read, nothing may be taken for an
   *  orphan), makes a first pass, and from then on looks after each event and every period. Failures of single namespaces
   *  are in the report. */
  async start(): Promise<Report> {
    const { inventory, host, log, periodMilliseconds = PERIOD_MILLISECONDS } = this.#deps
    await this.#resume()
    await inventory.ready
    const report = await this.look()
    const timer = setInterval(() => this.#lookAgain(), periodMilliseconds)
    this.#endings.push(
      () => clearInterval(timer),
      inventory.onChange(() => this.#lookAgain()),
      host.onDrift((what) => {
        log.warn({ what }, 'datapath drift')
        this.#lookAgain()
      }),
    )
    return report
  }

  /** Resolves with the report of a pass that began after this call. */
  look(): Promise<Report> {
    if (this.#next !== undefined) return this.#next
    if (this.#running === undefined) return this.#begin()
    this.#next = this.#running.then(
      () => this.#begin(),
      () => this.#begin(),
    )
    return this.#next
  }

  /** Ends looking, and leaves everything as it is: guests keep their DHCP while we are away. */
  async stop(): Promise<void> {
    for (const end of this.#endings.splice(0)) end()
    await this.#running?.catch(() => undefined)
    await this.#next?.catch(() => undefined)
  }

  /** Ends looking and removes everything of ours. */
  async teardown(): Promise<Report> {
    await this.stop()
    this.#isTornDown = true
    return this.look()
  }

  async #resume(): Promise<void> {
    const { host, log } = this.#deps
    for (const [netns, observed] of (await host.observe()).namespaces) {
      try {
        await host.execute(resumedListeners(observed))
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

  #pass(): Promise<Report> {
    const { host, log } = this.#deps
    return reconcileOnce({ host, log, desired: () => this.#desired() })
  }

  #desired(): Desired {
    const { inventory, desired } = this.#deps
    if (this.#isTornDown) return NOTHING
    if (this.#wanted?.sequence !== inventory.sequence) {
      this.#wanted = { sequence: inventory.sequence, desired: desired(inventory.records) }
    }
    return this.#wanted.desired
  }

  #lookAgain(): void {
    this.look().catch((error: unknown) => this.#deps.log.error({ err: error }, 'datapath could not be looked at'))
  }
}
