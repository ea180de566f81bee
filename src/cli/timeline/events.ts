import type { Exchange } from '../../guest-clients/exchange.ts'
import { advance, newSession, type Recognised, type Session, senderOf } from '../../guest-clients/session.ts'
import type { Journey } from '../../observe/flight/journey.ts'

/** One thing that happened in a guest's boot, as seen from here. */
export interface TimelineEvent {
  /** Milliseconds since the first event of the boot. */
  readonly at: number
  /** How long it took us, milliseconds; 0 for moments. */
  readonly took: number
  readonly kind: 'lease' | 'contact' | 'document' | 'failure' | 'silence'
  readonly text: string
}

export interface Boot {
  /** ISO 8601. */
  readonly began: string
  readonly events: readonly TimelineEvent[]
  readonly session: Session
}

/** A guest that says nothing for this long is done, or was started again. */
const BOOT_GAP_MILLISECONDS = 120_000
/** Shorter than this no pause tells anything. */
const SILENCE_MILLISECONDS = 5_000

/**
 * The last boot in what a guest asked: everything since the last long pause. Pure.
 * @param journeys  of one instance, oldest first
 * @param lease  when its present lease was given, in milliseconds since 1970, where that is known
 */
export function lastBoot(journeys: readonly Journey[], lease: number | undefined): Boot | undefined {
  const recent = sinceLastPause(journeys)
  const [first] = recent
  if (first === undefined) return undefined
  const contact = began(first)
  const isLeaseOfThisBoot = lease !== undefined && lease <= contact && contact - lease < BOOT_GAP_MILLISECONDS
  const start = isLeaseOfThisBoot ? lease : contact
  let session = newSession
  let end = contact
  const events: TimelineEvent[] = isLeaseOfThisBoot ? [{ at: 0, took: 0, kind: 'lease', text: 'DHCP lease' }] : []
  for (const journey of recent) {
    const { clients } = session
    const exchange = exchangeOf(journey)
    session = advance(session, exchange)
    const at = began(journey) - start
    if (began(journey) - end > SILENCE_MILLISECONDS)
      events.push({ at: end - start, took: began(journey) - end, kind: 'silence', text: 'silence' })
    for (const recognised of session.clients.slice(clients.length))
      events.push({ at, took: 0, kind: 'contact', text: `${nameOf(recognised)} recognised` })
    events.push({
      at,
      took: journey.milliseconds,
      kind: journey.status < 400 ? 'document' : 'failure',
      text: `${journey.method} ${journey.path} ${journey.status}${senderSuffix(session, exchange)}`,
    })
    end = Math.max(end, Date.parse(journey.time))
  }
  return { began: new Date(start).toISOString(), events, session }
}

export function nameOf({ client, version }: Recognised): string {
  return version === undefined ? client.name : `${client.name} ${version}`
}

function senderSuffix(session: Session, exchange: Exchange): string {
  const sender = session.clients.length > 1 ? senderOf(session, exchange) : undefined
  return sender === undefined ? '' : `  ${nameOf(sender)}`
}

function sinceLastPause(journeys: readonly Journey[]): readonly Journey[] {
  const start = journeys.findLastIndex((journey, i) => {
    const before = journeys[i - 1]
    return before !== undefined && began(journey) - Date.parse(before.time) > BOOT_GAP_MILLISECONDS
  })
  return journeys.slice(Math.max(start, 0))
}

/** A journey's time is that of the answer. */
function began({ time, milliseconds }: Journey): number {
  return Date.parse(time) - milliseconds
}

function exchangeOf({ method, path, userAgent, status }: Journey): Exchange {
  // Normalised as clients write it: doubled and trailing slashes mean nothing to the tree.
  const normal = `/${path.split('/').filter(Boolean).join('/')}`
  return { method, path: normal, userAgent, status, isWhole: true }
}
