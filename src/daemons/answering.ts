import { Backoff } from '../host/backoff.ts'
import { type Detached, startDetached, withoutCapabilities } from '../host/detached.ts'
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
   *  what it has in hand. */
  replace(command: AnsweringCommand): Promise<void>
  /** Goes away, and leaves both to serve on until the next run takes over. */
  leave(): void
  /** Ends both: guests are refused from now on. */
  end(): Promise<void>
}

/** Flags and variables of `firstboot metadata-proxy`. */
export interface AnsweringCommand {
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const RETRY_MILLISECONDS = 1_000

/** Resolves when somebody answers. @throws Error when nobody can be made to */
export async function openAnswering(state: StateDirectory, command: AnsweringCommand, log: Log): Promise<Answering> {
  const backoff = new Backoff()
  let wanted = command
  let current: Detached | undefined
  let isEnded = false

  const start = async () => {
    const { args, env } = wanted
    const started = await startDetached(
      withoutCapabilities(ownCommand('metadata-proxy', `--socket-keeper=${state.socketKeeper}`, ...args)),
      { ...process.env, ...env },
    )
    backoff.started(NAME)
    current = started
    started.onExit((how) => {
      if (current === started && !isEnded) restart(how)
    })
  }
  const restart = (how: string) => {
    log.error({ how }, 'the process that answers guests ended; another one is started')
    backoff.ended(NAME, [], how)
    again()
  }
  const again = () => {
    if (isEnded) return
    try {
      backoff.check(NAME, [])
    } catch {
      setTimeout(again, RETRY_MILLISECONDS).unref()
      return
    }
    start().catch((error: unknown) => {
      log.error({ err: error }, 'no process can be started that answers guests')
      backoff.failed(NAME, [], String(error))
      setTimeout(again, RETRY_MILLISECONDS).unref()
    })
  }

  const sockets = await KeptSockets.open({
    path: state.socketKeeper,
    startKeeper: async () => {
      await startDetached(ownCommand('socket-keeper', `--socket-keeper=${state.socketKeeper}`), process.env)
    },
  })
  // The process that answers ends with it, since new sockets could not be opened beside the old ones.
  sockets.onLost(() => log.error('the socket keeper ended; its sockets are opened anew'))
  await start()
  return {
    sockets,
    replace: async (next) => {
      wanted = next
      await start()
    },
    leave: () => {
      isEnded = true
      sockets.release()
    },
    end: async () => {
      isEnded = true
      await sockets.end()
      if (current !== undefined) await endProcess(current.id)
    },
  }
}

const NAME = 'metadata-proxy'
