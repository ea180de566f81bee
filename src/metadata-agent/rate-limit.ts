import { setTimeout as pause } from 'node:timers/promises'
import type { PortId } from '../inventory/records/ids.ts'
import { TooManyRequests } from './errors.ts'
import type { Origin } from './resolve.ts'

/** At most `requests` in any `seconds`, as the field's options have it. */
export interface Window {
  readonly requests: number
  readonly seconds: number
}

export interface RateLimitOptions {
  /** Both hold: one for the long run, one for a burst. */
  readonly windows: readonly Window[]
  /** Of the clients that are limited. */
  readonly ipVersions: readonly (4 | 6)[]
  /** Milliseconds of a clock that never runs back. */
  readonly now: () => number
}

/**
 * Lets a request through, at once or a little later, before anybody knows whose it is. It counts for the port that was last
 * found behind its address; where none was yet, for the address.
 * @returns to be told which port it is: then it counts for that one
 * @throws TooManyRequests, also when told
 */
export type RateLimit = (origin: Origin) => Promise<(port: PortId) => Promise<void>>

/**
 * What the first boot of a real guest asks in a few seconds, and as much again: cloud-init's walk through the EC2 tree
 * takes 18 to 30 requests. No limit is set below it, whatever is configured: the field's own default breaks that boot.
 */
const CRAWL = 60
/** A request that is only a little early waits; cloud-init would give up after a 429. */
const DELAY_MILLISECONDS = 2_000
/** Of one client, waiting at a time. */
const DELAYED = 8
/** Clients remembered, as in the field, and addresses of theirs; those who asked longest ago are forgotten. */
const CLIENTS = 10_000
/** So often an address is looked up whose port is at its limit. */
const DOUBT_MILLISECONDS = 1_000

interface Client {
  /** For each window, when it would be empty again: the theoretical arrival time of the generic cell rate algorithm. */
  readonly emptyAt: number[]
  delayed: number
}

/**
 * A limit on what one port asks, by whichever of its addresses. What no port is found for is limited by network or router and
 * address, so that equal addresses elsewhere do not share it.
 * The buckets fill up again by the clock's own progress; setting the machine's time changes nothing.
 */
export function rateLimit({ windows, ipVersions, now }: RateLimitOptions): RateLimit {
  const rates = windows.map(({ requests, seconds }) => {
    const spacing = (seconds * 1000) / requests
    return { spacing, burst: spacing * (Math.max(requests, CRAWL) - 1) }
  })
  /** By port's id, or network or router and address. */
  const clients = new Map<string, Client>()
  /** The ports that were last found behind addresses. */
  const ports = new Map<string, PortId>()
  /** Addresses of which that was doubted, and when. */
  const doubted = new Map<string, number>()

  async function take(key: string): Promise<void> {
    const client = clients.get(key) ?? { emptyAt: rates.map(() => 0), delayed: 0 }
    remember(clients, key, client)
    const time = now()
    const wait = Math.max(0, ...rates.map(({ burst }, i) => (client.emptyAt[i] ?? 0) - burst - time))
    if (wait > DELAY_MILLISECONDS || (wait > 0 && client.delayed >= DELAYED)) throw new TooManyRequests(wait)
    for (const [i, { spacing }] of rates.entries()) client.emptyAt[i] = Math.max(client.emptyAt[i] ?? 0, time) + spacing
    if (wait === 0) return
    client.delayed += 1
    await pause(wait)
    client.delayed -= 1
  }

  return async ({ within, address }) => {
    if (!ipVersions.includes(address.includes(':') ? 6 : 4)) return unlimited
    const from = `${'networkId' in within ? within.networkId : within.routerId} ${address}`
    const known = ports.get(from)
    const refusal = await refused(take(known ?? from))
    if (refusal !== undefined) {
      // The address may be another port's by now, and nobody is to wait for what the one before does: now and then it is looked
      // up all the same.
      if (known === undefined || now() - (doubted.get(from) ?? Number.NEGATIVE_INFINITY) < DOUBT_MILLISECONDS)
        throw refusal
      remember(doubted, from, now())
    }
    return async (port) => {
      remember(ports, from, port)
      if (port !== known) await take(port)
      else if (refusal !== undefined) throw refusal
    }
  }
}

async function unlimited(): Promise<void> {}

async function refused(taking: Promise<void>): Promise<unknown> {
  return taking.then(
    () => undefined,
    (refusal: unknown) => refusal,
  )
}

/** Puts it at the end of those to forget. */
function remember<T>(all: Map<string, T>, key: string, value: T): void {
  all.delete(key)
  all.set(key, value)
  if (all.size > CLIENTS) for (const oldest of [all.keys().next().value]) all.delete(oldest ?? '')
}
