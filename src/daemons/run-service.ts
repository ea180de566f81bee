import { closeSync } from 'node:fs'
import { activatedSockets, keepWatchdog, type Notify, openNotify } from '../host/systemd.ts'
import { openWorkers, type WorkerSide, workerSide } from '../host/workers.ts'
import type { Log } from '../observe/log.ts'
import { unlessSignalled, untilSignal } from './until-signal.ts'

/** A daemon behind listening sockets, however many processes it is. */
export interface Service {
  /** Looks at what would have every worker fail alike. @throws Error that says what is wrong */
  readonly prepare: () => Promise<void>
  /** Opens the sockets, where nobody hands us any. */
  readonly listen: () => Promise<OpenSockets>
  /** Answers on them from now on. */
  readonly serve: (sockets: readonly number[]) => Promise<RunningService>
  /** Reads the configuration again, to see whether it can be used. @throws UsageError */
  readonly check: () => void
  /** Processes that shall share the sockets; 0 and 1 for this one alone. */
  readonly workers: number
  readonly env: NodeJS.ProcessEnv
  readonly log: Log
  /** Tells the person who started us that there are answers. */
  readonly onListening: (sockets: readonly number[]) => void
}

export interface OpenSockets {
  readonly sockets: readonly number[]
  /** Takes away what stands for them in the file system. */
  readonly remove: () => void
  /** Told from now on of sockets that have come in the place of those, which nobody can reach any more. */
  readonly onReplaced?: (use: (sockets: readonly number[]) => void) => void
}

export interface RunningService {
  /** Answers on these from now on, and finishes what came by those before. */
  serveInstead?(sockets: readonly number[]): void
  /** Rejects with what makes going on pointless. */
  readonly opened: Promise<unknown>
  /** Takes over what can be changed without a new start. @throws UsageError and leaves everything as it is */
  reload(): Promise<void>
  /** Finishes what is under way, in so many milliseconds at most. */
  close(grace: number): Promise<void>
}

/** As long as a request may take. */
const FINISH_MILLISECONDS = 30_000
/** How long a worker may take to end: longer than the requests that it finishes. */
const GRACE_MILLISECONDS = 35_000

/** Runs until a signal asks for the end. SIGHUP reads the configuration again and loses no request. */
export async function runService(service: Service): Promise<number> {
  const { env } = service
  const ended = untilSignal()
  const worker = workerSide(env)
  if (worker !== undefined) return runWorker(service, worker, ended)
  const notify = openNotify(env)
  const stopWatchdog = keepWatchdog(env, notify)
  await service.prepare()
  const activated = activatedSockets(env)
  const open = activated.length > 0 ? { sockets: activated, remove: () => undefined } : await service.listen()
  void ended.then(open.remove)
  try {
    const run = service.workers > 1 ? runWorkers : runAlone
    await run(service, open, notify, ended)
  } finally {
    stopWatchdog()
    open.remove()
  }
  return 0
}

async function runAlone(service: Service, open: OpenSockets, notify: Notify, ended: Promise<NodeJS.Signals>) {
  const { sockets } = open
  const running = await service.serve(sockets)
  open.onReplaced?.((next) => running.serveInstead?.(next))
  onHangUp(service.log, notify, () => running.reload())
  service.onListening(sockets)
  notify('READY=1')
  await runUntil(running, ended, () => notify('STOPPING=1'))
}

async function runWorker(service: Service, side: WorkerSide, ended: Promise<NodeJS.Signals>) {
  const { sockets, ready, retired, orphaned } = side
  process.on('SIGHUP', () => undefined) // a terminal that closes tells everybody; our parent acts on it
  const running = await service.serve(sockets)
  ready()
  await runUntil(running, Promise.race([ended, orphaned.then(() => 'SIGTERM' as const)]), () => undefined, retired)
  return 0
}

/** Who is still waiting for what it needs when it is told to end has nothing to finish, and would wait on.
 *  @throws with what made going on pointless */
async function runUntil(
  running: RunningService,
  ended: Promise<NodeJS.Signals>,
  onEnd: () => void,
  onClosed: () => void = () => undefined,
): Promise<void> {
  const isOpen = await unlessSignalled(
    running.opened.then(() => true),
    ended,
  )
  await ended
  onEnd()
  const closing = isOpen ? running.close(FINISH_MILLISECONDS) : undefined
  onClosed()
  await closing
}

/** The configuration is read again by the workers, which are new ones then. */
async function runWorkers(service: Service, open: OpenSockets, notify: Notify, ended: Promise<NodeJS.Signals>) {
  const { workers: count, env, log } = service
  let { sockets } = open
  const [program = process.execPath, ...args] = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const workers = await openWorkers({
    count,
    command: [program, ...args],
    env,
    sockets: () => sockets,
    grace: GRACE_MILLISECONDS,
    onDeath: (how, milliseconds) => log.error({ milliseconds }, `a worker ${how}; another is started`),
  })
  let last = Promise.resolve()
  /** One replacement at a time. */
  const replace = () => {
    const replaced = last.then(() => workers.replace())
    last = replaced.catch(() => undefined)
    return replaced
  }
  open.onReplaced?.((next) => {
    const before = sockets
    sockets = next
    replace()
      .then(() => before.forEach(closeSync))
      .catch((error: unknown) => log.error({ err: error }, 'not every worker answers on the new socket'))
  })
  onHangUp(log, notify, () => {
    service.check()
    return replace()
  })
  service.onListening(sockets)
  notify('READY=1')
  await ended
  notify('STOPPING=1')
  await workers.close()
}

/** One reload at a time; each signal is obeyed. */
function onHangUp(log: Log, notify: Notify, reload: () => Promise<void>): void {
  let last = Promise.resolve()
  process.on('SIGHUP', () => {
    last = last.then(async () => {
      notify('RELOADING=1')
      try {
        await reload()
        log.info('the configuration was read again')
      } catch (error) {
        log.error(`the configuration stays as it was: ${error instanceof Error ? error.message : error}`)
      }
      notify('READY=1')
    })
  })
}
