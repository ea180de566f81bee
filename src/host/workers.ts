import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'

/** Several processes that accept from the same listening sockets. A worker is this program again; it finds the sockets
 *  among its descriptors and says when it answers. */
export interface Workers {
  /** Starts as many new ones, and ends each old one when its successor answers: no connection is refused between.
   *  Resolves when the last old one takes no more: whoever connects from then on is answered by a new one.
   *  @throws Error when a new one does not come up; the old one stays then, and those behind it */
  replace(): Promise<void>
  /** Asks all to end, and makes those that do not. */
  close(): Promise<void>
}

export interface WorkersOptions {
  readonly count: number
  /** This program and its arguments. */
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
  /** Listening, for workers that are started from now on; they stay ours to close. */
  readonly sockets: () => readonly number[]
  /** A worker ended that was not asked to; another comes in `milliseconds`. */
  readonly onDeath: (how: string, milliseconds: number) => void
  /** In milliseconds, how long one that is asked to end may take. */
  readonly grace: number
}

/** In a worker's environment, how many listening sockets it has from `FIRST_SOCKET` on. */
const SOCKETS = 'FIRSTBOOT_WORKER_SOCKETS'
/** Behind standard streams and the channel to the parent. */
const FIRST_SOCKET = 4

const FIRST_DELAY_MILLISECONDS = 500
const LONGEST_DELAY_MILLISECONDS = 30_000
/** A worker that lived this long did not die of how it was started. */
const HEALTHY_MILLISECONDS = 10_000

interface Place {
  child: ChildProcess
  failures: number
  isClosing: boolean
}

/** Resolves when all answer, or have been started for the first time and ended. */
export async function openWorkers(options: WorkersOptions): Promise<Workers> {
  const { count, command, env, sockets, onDeath, grace } = options
  const [program, ...args] = command
  const ending = new Set<Promise<void>>()
  let isClosing = false

  function start(): ChildProcess {
    const listening = sockets()
    return spawn(program, args, {
      env: { ...env, [SOCKETS]: String(listening.length) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...listening],
    })
  }

  /** One worker, and whoever comes after it. */
  async function keep(place: Place): Promise<void> {
    while (!place.isClosing) {
      const started = performance.now()
      const how = await ended(place.child)
      if (place.isClosing || isClosing) return
      place.failures = performance.now() - started > HEALTHY_MILLISECONDS ? 0 : place.failures + 1
      const delay = place.failures === 0 ? 0 : FIRST_DELAY_MILLISECONDS * 2 ** (place.failures - 1)
      const milliseconds = Math.min(delay, LONGEST_DELAY_MILLISECONDS)
      onDeath(how, milliseconds)
      await pause(milliseconds)
      if (place.isClosing || isClosing) return
      place.child = start()
    }
  }

  function open(): Place {
    const place: Place = { child: start(), failures: 0, isClosing: false }
    void keep(place)
    return place
  }

  function end(place: Place): Promise<void> {
    place.isClosing = true
    const task = endChild(place.child, grace).finally(() => ending.delete(task))
    ending.add(task)
    return task
  }

  const places = Array.from({ length: count }, open)
  await Promise.all(places.map(({ child }) => answering(child)))
  return {
    replace: async () => {
      for (const [i, old] of places.entries()) {
        const next = open()
        if (await answering(next.child)) {
          places[i] = next
          const hasRetired = once(old.child, 'message')
          await Promise.race([hasRetired, end(old)])
        } else {
          next.isClosing = true
          throw new Error(`a new worker ${await ended(next.child)} before it answered`)
        }
      }
    },
    close: async () => {
      isClosing = true
      for (const place of places) void end(place)
      await Promise.all(ending)
    },
  }
}

/** What a worker finds: its sockets, and its parent. */
export interface WorkerSide {
  readonly sockets: readonly number[]
  /** Tells the parent that we answer. */
  ready(): void
  /** Tells it that we answer nobody who connects from now on. */
  retired(): void
  /** Resolves when the parent is gone. */
  readonly orphaned: Promise<unknown>
}

/** @returns undefined in a process that is no worker */
export function workerSide(env: NodeJS.ProcessEnv): WorkerSide | undefined {
  const count = env[SOCKETS]
  delete env[SOCKETS]
  if (count === undefined || process.send === undefined) return undefined
  return {
    sockets: Array.from({ length: Number(count) }, (_, i) => FIRST_SOCKET + i),
    ready: () => {
      process.send?.('ready')
    },
    retired: () => {
      if (process.connected) process.send?.('retired')
    },
    orphaned: once(process, 'disconnect'),
  }
}

/** @returns whether it does; otherwise it has ended */
async function answering(child: ChildProcess): Promise<boolean> {
  return Promise.race([once(child, 'message').then(() => true), ended(child).then(() => false)])
}

function ended(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const how = () => `ended with ${child.signalCode ?? `exit code ${child.exitCode}`}`
  if (child.exitCode !== null || child.signalCode !== null) resolve(how())
  child.once('exit', () => resolve(how()))
  child.once('error', (error) => resolve(error.message))
  return promise
}

async function endChild(child: ChildProcess, grace: number): Promise<void> {
  const gone = ended(child)
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), grace)
  await gone
  clearTimeout(timer)
}
