import type { Exchange } from '../guest-clients/exchange.ts'
import { advance, newSession, type Recognised, type Session, senderOf } from '../guest-clients/session.ts'
import { judge, type Verdict } from '../guest-clients/verdict.ts'
import { keptBytes } from './fault.ts'
import { guestKey, type TestReply } from './handler.ts'

/** One request and what became of it. */
export interface Entry {
  readonly reply: TestReply
  readonly exchange: Exchange
  /** The client that sent it, as far as the guest's requests up to it tell. */
  readonly sender: Recognised | undefined
  /** Of the body, as sent. */
  readonly bytes: number
  readonly milliseconds: number
}

/** All that one guest asked, or one address that no guest has. */
export interface Heard {
  /** The server's name; undefined for an address that is nobody's. */
  readonly server: string | undefined
  readonly remoteAddress: string
  readonly requests: number
  readonly session: Session
}

/** Keeps what was asked, by guest. */
export interface Journal {
  /** A request has come. */
  begin(): void
  /** Its answer has left, or the client has. */
  end(reply: TestReply, isSent: boolean): Entry
  readonly heard: () => readonly Heard[]
  /** Resolves when the named servers, or without names all that were heard of, are configured and ask no more. */
  configured(servers: ReadonlySet<string>): Promise<void>
}

/** A configured client may go on asking (cloud-init walks the EC2 tree last) and would take a closed port badly. */
export const QUIET_MILLISECONDS = 1_000

export function openJournal(now: () => number = () => performance.now()): Journal {
  const heard = new Map<string, Heard>()
  const watchers = new Set<() => void>()
  let running = 0

  return {
    heard: () => [...heard.values()],

    begin() {
      running += 1
      for (const watch of watchers) watch()
    },

    end(reply, isSent) {
      const exchange = exchangeOf(reply, isSent)
      const key = guestKey(reply.guest, reply.request)
      const before = heard.get(key)
      const session = advance(before?.session ?? newSession, exchange)
      const { remoteAddress } = reply.request
      heard.set(key, { server: reply.guest?.name, remoteAddress, requests: (before?.requests ?? 0) + 1, session })
      running -= 1
      for (const watch of watchers) watch()
      const sender = senderOf(session, exchange)
      return { reply, exchange, sender, bytes: sentBytes(reply, exchange), milliseconds: now() - reply.started }
    },

    configured(servers) {
      const { promise, resolve } = Promise.withResolvers<void>()
      let timer: NodeJS.Timeout | undefined
      const watch = () => {
        clearTimeout(timer)
        if (running === 0 && areConfigured([...heard.values()], servers))
          timer = setTimeout(resolve, QUIET_MILLISECONDS)
      }
      watchers.add(watch)
      return promise.finally(() => watchers.delete(watch))
    },
  }
}

/** Whether each of the named servers, or each that was heard of, has a client that lacks nothing and none that does. */
export function areConfigured(heard: readonly Heard[], servers: ReadonlySet<string>): boolean {
  const guests = heard.filter(({ server }) => server !== undefined && (servers.size === 0 || servers.has(server)))
  return guests.length >= Math.max(1, servers.size) && guests.every(({ session }) => isConfigured(judge(session)))
}

function isConfigured(verdicts: readonly Verdict[]): boolean {
  return verdicts.length > 0 && verdicts.every(({ lacks }) => lacks.length === 0)
}

function exchangeOf({ request, path, status, fault, isReplaced }: TestReply, isSent: boolean): Exchange {
  const breakage = fault?.breakage
  const hasStatus = breakage === undefined ? isSent : breakage.kind !== 'reset'
  return {
    method: request.method,
    path,
    userAgent: request.headers.get('user-agent'),
    status: hasStatus ? status : null,
    isWhole: isSent && !isReplaced && breakage === undefined,
  }
}

function sentBytes({ body, fault }: TestReply, { status }: Exchange): number {
  if (status === null) return 0
  return fault?.breakage?.kind === 'truncate' ? Math.min(keptBytes(fault.breakage, body), body.length) : body.length
}
