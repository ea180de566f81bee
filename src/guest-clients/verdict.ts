import type { GuestClient, Need } from './clients.ts'
import type { Exchange } from './exchange.ts'
import { fitsPath } from './path-pattern.ts'
import type { Recognised, Session } from './session.ts'

/** Whether one client of a guest has been told everything it needs. */
export interface Verdict {
  readonly client: GuestClient
  readonly version: string | undefined
  /** Nothing: its guest is configured. */
  readonly lacks: readonly Lack[]
}

export interface Lack {
  readonly what: string
  /** undefined: it was never asked for. */
  readonly last: Exchange | undefined
}

/** One verdict for each recognised client. */
export function judge(session: Session): Verdict[] {
  const exchanges = [...session.last.values()]
  return session.clients.map((recognised) => judgeClient(recognised, exchanges))
}

function judgeClient({ client, version }: Recognised, exchanges: readonly Exchange[]): Verdict {
  const own = exchanges.filter(({ userAgent }) => client.agents.test(userAgent ?? ''))
  const unmet = client.needs.flatMap((need) => unmetNeed(need, own) ?? [])
  const isNeeded = ({ path }: Exchange) => client.needs.some((need) => fitsPath(need.path, path))
  const spoilt = own.filter((exchange) => !isNeeded(exchange) && !isAnswer(exchange))
  return { client, version, lacks: [...unmet, ...spoilt.map((last) => ({ what: last.path, last }))] }
}

/** Several paths may serve a need (one for each version): one that did is enough. */
function unmetNeed({ what, path, isMandatory }: Need, exchanges: readonly Exchange[]): Lack | undefined {
  const asked = exchanges.filter((exchange) => fitsPath(path, exchange.path))
  return asked.some(isMandatory ? isDocument : isAnswer) ? undefined : { what, last: asked.at(-1) }
}

function isDocument({ status, isWhole }: Exchange): boolean {
  return isWhole && status !== null && status < 300
}

/** A document, or word that there is none: what the record says, not what trouble made of it. */
function isAnswer({ status, isWhole }: Exchange): boolean {
  return isWhole && status !== null && status < 500
}
