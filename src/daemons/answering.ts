import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Backoff } from '../host/backoff.ts'
import { type Detached, startDetached, withoutCapabilities } from '../host/detached.ts'
import { HostError } from '../host/errors.ts'
import { endProcess } from '../host/process.ts'
import { KeptSockets } from '../host/socket-keeper/kept-sockets.ts'
import type { Log } from '../observe/log.ts'
import { ownCommand } from './own-command.ts'
import type { StateDirectory } from './state-directory.ts'

/**
 * Guests are answered by a process of its own, without any capability, on sockets that a third one keeps. So what parses
 * guests' bytes can change nothing on this host, and neither our restart nor its own refuses a guest: a connection waits in
 * the kernel's queue until somebody serves it.
 */
export interface Answering {
  readonly sockets: KeptSockets
  /** Has another process take over, with these arguments from now on. Resolves when it serves; the one before finishes
   *  what it has in hand. One that would do the same as the one before is not started.
   *  @returns whether another has taken over @throws Error when it does not come up; the one before serves on then */
  replace(command: AnsweringCommand): Promise<boolean>
  /** Goes away, and leaves both to serve on until the next run takes over. */
  leave(): void
  /** Ends both: guests are refused from now on. */
  end(): Promise<void>
}

/** Flags and variables of `firstboot metadata-proxy`. */
export interface AnsweringCommand {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Those that it reads once, when it starts. None when absent. */
  readonly files?: readonly string[]
}

const RETRY_MILLISECONDS = 1_000

/** Resolves when somebody answers. @throws Error when nobody can be made to */
export async function openAnswering(state: StateDirectory, command: AnsweringCommand, log: Log): Promise<Answering> {
  const backoff = new Backoff()
  let wanted = command
  /** What the process that serves was started with. */
  let served = ''
  let current: Detached | undefined
  let isEnded = false
  // One is started at a time: of two that take over at once, the one that was wanted first might be left.
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const result = turn.then(act)
    turn = result.catch(() => undefined)
    return result
  }

  const start = async (given: AnsweringCommand) => {
    const { args, env } = given
    const everything = everythingOf(given) // before it reads its files
    const started = await startDetached(
      withoutCapabilities(ownCommand('metadata-proxy', `--socket-keeper=${state.socketKeeper}`, ...args)),
      { ...process.env, ...env },
    )
    backoff.started(NAME)
    current = started
    served = everything
    // One whose place another has taken ends too, perhaps before that one says that it serves.
    started.onExit((how) => void inTurn(async () => current === started && restart(how)))
  }
  const restart = async (how: string) => {
    if (isEnded) return
    log.error({ how }, 'the process that answers guests ended; another one is started')
    backoff.ended(NAME, [], how)
    await again()
  }
  const again = async () => {
    if (isEnded || current?.isAlive()) return
    const later = () => setTimeout(() => void inTurn(again), RETRY_MILLISECONDS).unref()
    try {
      backoff.check(NAME, [])
    } catch {
      later()
      return
    }
    await start(wanted).catch((error: unknown) => {
      log.error({ err: error }, 'no process can be started that answers guests')
      backoff.failed(NAME, [], String(error))
      later()
    })
  }

  let isKeeperOurs = false
  const sockets = await KeptSockets.open({
    path: state.socketKeeper,
    startKeeper: async () => {
      isKeeperOurs = true
      await startDetached(ownCommand('socket-keeper', `--socket-keeper=${state.socketKeeper}`), process.env)
    },
  })
  // The process that answers ends with it, since new sockets could not be opened beside the old ones.
  sockets.onLost(() => log.error('the socket keeper ended; its sockets are opened anew'))
  await inTurn(() => start(command)).catch(async (error) => {
    if (isKeeperOurs) await sockets.end() // it serves nobody
    throw error
  })
  return {
    sockets,
    replace: (next) =>
      inTurn(async () => {
        if (everythingOf(next) === served) return false
        await start(next).catch((cause) => {
          const why = cause instanceof Error ? cause.message : cause
          throw new HostError(
            `guests are answered as before: no process can be started that would do otherwise: ${why}`,
          )
        })
        wanted = next
        return true
      }),
    leave: () => {
      isEnded = true
      sockets.release()
    },
    end: async () => {
      isEnded = true
      await sockets.end()
      await turn
      if (current !== undefined) await endProcess(current.id)
    },
  }
}

const NAME = 'metadata-proxy'

/** Equal for commands that come to the same, what stands in their files included. */
function everythingOf({ args, env, files = [] }: AnsweringCommand): string {
  return JSON.stringify([args, env, files.map(digest)])
}

/** Empty of what cannot be read, of which the process will say so. */
function digest(path: string): string {
  try {
    return hash('sha256', readFileSync(path))
  } catch {
    return ''
  }
}
