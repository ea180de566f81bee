import { type GuestClient, guestClients, type Mark } from './clients.ts'
import type { Exchange } from './exchange.ts'
import { fitsPath } from './path-pattern.ts'

/** What one guest has asked so far, as much of it as recognising and judging its clients needs. */
export interface Session {
  /** In order of their first mark. One guest may run several. */
  readonly clients: readonly Recognised[]
  /** How each `METHOD path` ended the last time it was asked. */
  readonly last: ReadonlyMap<string, Exchange>
}

export interface Recognised {
  readonly client: GuestClient
  /** As its User-Agent tells, where it tells. */
  readonly version: string | undefined
}

export const newSession: Session = { clients: [], last: new Map() }

/** The session after one more request. */
export function advance(session: Session, exchange: Exchange): Session {
  const known = new Set(session.clients.map(({ client }) => client))
  const added = guestClients.flatMap((client) => (known.has(client) ? [] : (recognise(client, exchange) ?? [])))
  const last = new Map(session.last).set(`${exchange.method} ${exchange.path}`, exchange)
  return { clients: [...session.clients, ...added], last }
}

/** Which of the session's clients sent a request: the youngest that it can come from. */
export function senderOf(session: Session, exchange: Exchange): Recognised | undefined {
  return session.clients.findLast(({ client }) => client.agents.test(exchange.userAgent ?? ''))
}

function recognise(client: GuestClient, exchange: Exchange): Recognised | undefined {
  const agent = exchange.userAgent ?? ''
  const mark = client.agents.test(agent) ? client.marks.find((each) => isMarked(exchange, agent, each)) : undefined
  return mark && { client, version: mark.agent?.exec(agent)?.[1] }
}

function isMarked({ method, path }: Exchange, agent: string, mark: Mark): boolean {
  return method === (mark.method ?? 'GET') && fitsPath(mark.path, path) && (mark.agent?.test(agent) ?? true)
}
