import { closeSync, lstatSync } from 'node:fs'
import { type IsPredecessor, isHeldBy, openOwnSocket } from '../host/own-socket.ts'
import type { Forwarder } from '../http/messages.ts'
import { type ServerOptions, type Serving, serveDescriptor } from '../http/server.ts'
import type { Condition } from '../observe/health.ts'
import type { Log } from '../observe/log.ts'

/** The agent's unix socket. */
export interface AgentSocketGiven {
  readonly path: string
  readonly mode?: number
  readonly backlog?: number
  /** One of ours that lives gives way; nobody does by default. */
  readonly isPredecessor?: IsPredecessor
  readonly log: Pick<Log, 'warn' | 'error'>
}

/** Holds as long as proxies that connect reach us. */
export interface KeptAgentSocket extends Condition {
  /** Takes the path away, if what is there is ours. */
  remove(): void
}

export interface AgentSocket extends Condition {
  /** Finishes what was accepted, in so many milliseconds at most. */
  close(grace?: number): Promise<void>
}

const MODE = 0o600
const BACKLOG = 1024

const LOOK_MILLISECONDS = 1_000
/** So many looks have to find the path without our socket: a successor removes it, and is there a moment later. */
const LOOKS_BEFORE_REOPENING = 2
/** After that, every so many looks: to see who listens there all processes are looked at. */
const LOOKS_BETWEEN_ATTEMPTS = 5

/** What proxies still have in hand on a socket whose file is gone. */
const FINISH_MILLISECONDS = 30_000

/** The agent's unix socket beside its function: for proxies that are programs of their own, which an option may call for
 *  at any time. @throws HostError when somebody else listens there, or nobody can */
export async function serveAgentSocket(
  given: AgentSocketGiven,
  agent: Forwarder,
  options: ServerOptions,
): Promise<AgentSocket> {
  let serving: Serving | undefined
  const kept = await keepAgentSocket(given, (fd) => {
    void serving?.close(FINISH_MILLISECONDS)
    serving = serveDescriptor(agent, fd, options, given.backlog ?? BACKLOG)
  })
  return {
    name: kept.name,
    whyNot: kept.whyNot,
    close: async (grace) => {
      kept.remove()
      await serving?.close(grace)
    },
  }
}

/**
 * Listens on the agent's path, and sees to it that it goes on: a socket whose file somebody deleted or replaced cannot be
 * reached any more, and nobody would be told. Then another one is opened, unless somebody listens there who lives.
 *
 * @param serve  given each listening socket, which is then the callee's to close; who is asked on the one before stays until it
 *   is answered
 * @throws HostError when there cannot be a first one
 */
export async function keepAgentSocket(given: AgentSocketGiven, serve: (fd: number) => void): Promise<KeptAgentSocket> {
  const { path, mode = MODE, backlog = BACKLOG, isPredecessor, log } = given
  let own = await openOwnSocket(path, mode, backlog, isPredecessor)
  serve(own.fd)
  let misses = 0
  let trouble: string | undefined
  let isEnded = false

  async function reopen(): Promise<void> {
    try {
      const next = await openOwnSocket(path, mode, backlog)
      if (isEnded) {
        next.remove()
        closeSync(next.fd)
        return
      }
      own = next
      log.warn({ path }, 'the file of the agent’s socket was deleted or replaced; the socket is opened anew')
      serve(next.fd)
    } catch (error) {
      // A successor, which we are about to hear of.
      if (isPredecessor !== undefined && isHeldBy(path, isPredecessor)) return
      const why = error instanceof Error ? error.message : String(error)
      if (why !== trouble) log.error({ path }, `the agent’s socket cannot be reached any more. ${why}`)
      trouble = why
    }
  }

  async function look(): Promise<void> {
    if (own.isInPlace()) {
      misses = 0
      trouble = undefined
      return
    }
    misses += 1
    const late = misses - LOOKS_BEFORE_REOPENING
    if (late >= 0 && late % LOOKS_BETWEEN_ATTEMPTS === 0) await reopen()
  }

  let timer = setTimeout(again, LOOK_MILLISECONDS).unref()
  function again(): void {
    void look()
      .catch((error: unknown) => log.error({ err: error }, 'the agent’s socket could not be looked at'))
      .finally(() => {
        if (!isEnded) timer = setTimeout(again, LOOK_MILLISECONDS).unref()
      })
  }

  return {
    name: CONDITION,
    whyNot: () => (own.isInPlace() ? undefined : (trouble ?? `${path} is not there; it is opened anew in a moment`)),
    remove: () => {
      isEnded = true
      clearTimeout(timer)
      own.remove()
    },
  }
}

/** The same for a process beside the one that keeps it, which knows no more than the path. */
export function agentSocketIsThere(path: string): Condition {
  return {
    name: CONDITION,
    whyNot: () => {
      const isThere = lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false
      return isThere ? undefined : `${path} is not there`
    },
  }
}

const CONDITION = 'agent socket'
