import type { Difference } from '../config/differences.ts'
import type { Condition } from '../observe/health.ts'
import { type AdjustableLog, type Log, type LogLevel, openLog } from '../observe/log.ts'
import type { Flight } from './flight.ts'
import { logChanges } from './log-changes.ts'
import { changeLevelOnSignal } from './log-level.ts'
import { claimMetricsPort, openOperatorPages } from './operator-pages.ts'
import { type OpenSockets, type RunningService, runService } from './run-service.ts'
import { remarkOnSecret, type SecretValues } from './secret-remarks.ts'
import { openStateDirectory, type StateDirectory, sharedSecret } from './state-directory.ts'

/** Options of every daemon whose listening sockets several processes may share. */
export interface SharedServiceValues extends SecretValues {
  readonly log_level: LogLevel
  readonly metadata_workers: number
  readonly metrics_listen: string
}

export interface Settings<V> {
  readonly values: V
  readonly secret: string
}

/** What such a daemon is, beside what they have in common: state, secret, log, pages for operators, workers, signals. */
export interface SharedServiceGiven<V extends SharedServiceValues> {
  /** `metadata-agent` */
  readonly daemon: string
  /** Of the state directory. */
  readonly path: string
  readonly values: V
  readonly env: NodeJS.ProcessEnv
  /** @throws UsageError */
  readonly reread: () => {
    readonly values: V
    readonly changed: readonly Difference[]
    readonly warnings: readonly string[]
  }
  /** Opens the sockets, where nobody hands us any. */
  readonly listen: (state: StateDirectory, log: Log) => Promise<OpenSockets>
  readonly onListening: (state: StateDirectory, sockets: readonly number[]) => void
  /** Answers on them from now on. */
  readonly serve: (
    state: StateDirectory,
    sockets: readonly number[],
    settings: Settings<V>,
    log: AdjustableLog,
  ) => SharedService<V>
}

export interface SharedService<V> {
  readonly flight: Flight
  readonly ready: readonly Condition[]
  /** Rejects with what makes going on pointless. */
  readonly opened: Promise<unknown>
  /** Requests that come from now on are treated so. @throws when the settings cannot be used; then nothing has changed */
  reload(settings: Settings<V>): void
  /** Answers on these from now on, and finishes what came by those before. */
  serveInstead?(sockets: readonly number[]): void
  /** Finishes what is under way, in so many milliseconds at most. */
  close(grace: number): Promise<void>
}

/** Runs one of them until a signal asks for the end. @returns the exit code */
export async function runSharedService<V extends SharedServiceValues>(given: SharedServiceGiven<V>): Promise<number> {
  const { daemon, values, env, reread } = given
  const state = await openStateDirectory(given.path)
  const settings = async (now: V) => ({
    values: now,
    secret: await sharedSecret(state, now.metadata_proxy_shared_secret),
  })
  const first = await settings(values)
  const log = openLog(values.log_level, daemon)
  let { log_level } = values
  changeLevelOnSignal(log, () => log_level)
  remarkOnSecret(values, state, log)
  const isShared = values.metadata_workers > 1
  return runService({
    workers: values.metadata_workers,
    env,
    log,
    prepare: () => (isShared ? claimMetricsPort(values.metrics_listen) : Promise.resolve()),
    check: () => {
      const { changed, warnings } = reread()
      logChanges(log, changed, warnings)
    },
    listen: () => given.listen(state, log),
    onListening: (sockets) => given.onListening(state, sockets),
    serve: async (sockets): Promise<RunningService> => {
      const service = given.serve(state, sockets, first, log)
      const pages = await openOperatorPages({
        state,
        daemon,
        metrics: service.flight.metrics,
        ready: service.ready,
        listen: values.metrics_listen,
        isShared,
        log,
      })
      return {
        opened: service.opened,
        serveInstead: (next) => service.serveInstead?.(next),
        reload: async () => {
          const { values: now, changed, warnings } = reread()
          service.reload(await settings(now))
          logChanges(log, changed, warnings)
          log_level = now.log_level
          log.level = log_level
        },
        close: async (grace) => {
          const closing = service.close(grace) // at once nobody more is accepted
          await pages.close()
          await closing
        },
      }
    },
  })
}
