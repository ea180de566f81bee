import { setTimeout as pause } from 'node:timers/promises'
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

/** Lets a request through, at once or a little later. @throws TooManyRequests */
export type RateLimit = (origin: Origin) => Promise<void>

/**
 * What the first boot of a real guest asks in a few seconds, and as much again: cloud-init's walk through the EC2 tree
 * takes 18 to 30 requests. No limit is set below it, whatever is configured: the field's own default breaks that boot.
 */
const CRAWL = 60
/** A request that is only a little early waits; cloud-init would give up after a 429. */
const DELAY_MILLISECONDS = 2_000
/** Of one client, waiting at a time. */
const DELAYED = 8
/** Clients remembered, as in the field; those who asked longest ago are forgotten. */
const CLIENTS = 10_000

interface Client {
  /** For each window, when it would be empty again: the theoretical arrival time of the generic cell rate algorithm. */
  readonly emptyAt: number[]
  delayed: number
}

/**
 * A limit on what one port asks: by network or router and address, so that equal addresses elsewhere do not share it.
 * The buckets fill up again by the clock's own progress; setting the machine's time changes nothing.
 */
export function rateLimit({ windows, ipVersions, now }: RateLimitOptions): RateLimit {
  const rates = windows.map(({ requests, seconds }) => {
    const spacing = (seconds * 1000) / requests
    return { spacing, burst: spacing * (Math.max(requests, CRAWL) - 1) }
  })
  const clients = new Map<string, Client>()

  /** The client, moved to the end of those to forget. */
  function remembered(key: string): Client {
    const client = clients.get(key) ?? { emptyAt: rates.map(() => 0), delayed: 0 }
    clients.delete(key)
    clients.set(key, client)
    if (clients.size > CLIENTS) for (const oldest of [clients.keys().next().value]) clients.delete(oldest ?? '')
    return client
  }

  return async ({ within, address }) => {
    if (!ipVersions.includes(address.includes(':') ? 6 : 4)) return
    const client = remembered(`${'networkId' in within ? within.networkId : within.routerId} ${address}`)
    const time = now()
    const wait = Math.max(0, ...rates.map(({ burst }, i) => (client.emptyAt[i] ?? 0) - burst - time))
    if (wait > DELAY_MILLISECONDS || (wait > 0 && client.delayed >= DELAYED)) throw new TooManyRequests(wait)
    for (const [i, { spacing }] of rates.entries()) client.emptyAt[i] = Math.max(client.emptyAt[i] ?? 0, time) + spacing
    if (wait === 0) return
    client.delayed += 1
    await pause(wait)
    client.delayed -= 1
  }
}
