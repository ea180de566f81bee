import { setTimeout as pause } from 'node:timers/promises'
import { exchange, isStream, type OutgoingRequest, WHOLE_BYTES } from './hop.ts'
import { type Lanes, openLanes } from './lanes.ts'
import type { Answer, ForwardedReply, HttpRequest } from './messages.ts'
import { Overloaded, Unreachable, UpstreamBroken } from './upstream-errors.ts'

/** Where the next hop listens. */
export type Destination = { readonly origin: string } | { readonly socketPath: string }

/** How a next hop that speaks TLS is believed, and how it believes us. PEM. */
export interface TlsOptions {
  /** Certificates of the authorities to trust; without, those that Node and the system trust. */
  readonly ca?: string
  /** Believe any certificate. */
  readonly isInsecure?: boolean
  readonly certificate?: string
  readonly key?: string
}

export interface ClientOptions {
  readonly tls?: TlsOptions
  readonly limits?: Partial<ClientLimits>
}

/** How long a request may take, and how many may wait. In milliseconds where not said otherwise. */
export interface ClientLimits {
  readonly connect: number
  /** From the request to the head of its answer, attempts and waiting included. Below the 32 s after which a haproxy in
   *  front would answer 504 itself. */
  readonly answer: number
  /** Between two pieces of a body. */
  readonly idle: number
  /** For a next hop that is not reachable: requests are held so long, and asked again meanwhile. */
  readonly hold: number
  /** Requests held at a time; others are refused at once. */
  readonly held: number
  /** Requests under way or waiting for a connection at a time. */
  readonly pending: number
  /** To each destination. */
  readonly connections: number
}

const LIMITS: ClientLimits = {
  connect: 3_000,
  answer: 28_000,
  idle: 28_000,
  hold: 3_000,
  held: 128,
  pending: 4_096,
  connections: 64,
}

/** Between two attempts of a request that is held. */
const RETRY_MILLISECONDS = 250
/** So long others are asked first. */
const AVOID_MILLISECONDS = 5_000

/** Sends requests to the next hop over kept connections. Nothing is decoded or followed, no proxy of the environment asked. */
export interface HttpClient {
  /** @throws Unreachable, UpstreamTimeout, UpstreamBroken, Overloaded, NotForwardable */
  send(request: OutgoingRequest): Promise<Answer>
  close(): Promise<void>
}

interface Hop {
  readonly name: string
  readonly lanes: Lanes
  avoidUntil: number
}

/**
 * @param destinations  all as good as one another: they take turns. A request whose destination fails goes to the next
 *   one, once, where that does no harm: nothing was sent, or the method may be repeated and nothing was passed on yet
 */
export function openHttpClient(destinations: readonly Destination[], options: ClientOptions = {}): HttpClient {
  const limits = { ...LIMITS, ...options.limits }
  const hops = destinations.map((destination) => openHop(destination, options.tls ?? {}, limits))
  let turn = 0
  let pending = 0
  let held = 0
  let onIdle = () => {}

  /** All, those that failed a moment ago last. */
  function inTurn(): readonly Hop[] {
    if (hops.length === 1) return hops
    turn = (turn + 1) % hops.length
    const now = performance.now()
    const turned = [...hops.slice(turn), ...hops.slice(0, turn)]
    return turned.sort((a, b) => Number(a.avoidUntil > now) - Number(b.avoidUntil > now))
  }

  async function ask(hop: Hop, request: OutgoingRequest, deadline: number): Promise<ForwardedReply> {
    try {
      return await exchange(hop.lanes, hop.name, request, Math.max(1, deadline - performance.now()))
    } catch (error) {
      if (error instanceof Unreachable) hop.avoidUntil = performance.now() + AVOID_MILLISECONDS
      throw error
    }
  }

  /** @param mayRepeat  a request that was broken off */
  async function attempt(request: OutgoingRequest, deadline: number, mayRepeat: boolean): Promise<ForwardedReply> {
    const [first, second] = inTurn()
    if (first === undefined) throw new Error('a client needs a destination')
    try {
      const answer = await ask(first, request, deadline)
      if (second === undefined || !AWAY.has(answer.status) || !isRepeatable(request)) return answer
    } catch (error) {
      // A kept connection may be closed from the other side just when it is used again.
      const isWorth = error instanceof UpstreamBroken ? mayRepeat : error instanceof Unreachable && second
      if (!isWorth || isStream(request.body)) throw error
    }
    return ask(second ?? first, request, deadline)
  }

  async function persist(request: OutgoingRequest): Promise<ForwardedReply> {
    const start = performance.now()
    let mayRepeat = isRepeatable(request)
    for (;;) {
      try {
        return await attempt(request, start + limits.answer, mayRepeat)
      } catch (error) {
        // A next hop that is killed breaks all its connections, and for a moment new ones too; one that breaks again after
        // a pause does so for a reason.
        const isDying: boolean = error instanceof UpstreamBroken && mayRepeat
        mayRepeat &&= !isDying
        const isWorth = isDying || (error instanceof Unreachable && !isStream(request.body))
        const isLate = performance.now() + RETRY_MILLISECONDS > start + limits.hold
        if (!isWorth || isLate || held >= limits.held) throw error
      }
      held += 1
      await pause(RETRY_MILLISECONDS)
      held -= 1
    }
  }

  return {
    send: async (request) => {
      if (pending >= limits.pending)
        throw new Overloaded('The metadata service is busy. Please try your request again.')
      pending += 1
      try {
        return await persist(request)
      } finally {
        pending -= 1
        if (pending === 0) onIdle()
      }
    },
    close: async () => {
      const { promise: idle, resolve } = Promise.withResolvers<void>()
      onIdle = resolve
      if (pending > 0) await idle
      for (const { lanes } of hops) lanes.close()
    },
  }
}

/** Answers of a host that cannot serve now; another one may. */
const AWAY: ReadonlySet<number> = new Set([502, 503, 504])

/** RFC 9110, 9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

function isRepeatable(request: OutgoingRequest): boolean {
  return IDEMPOTENT.has(request.method) && !isStream(request.body)
}

function openHop(destination: Destination, tls: TlsOptions, limits: ClientLimits): Hop {
  const path = 'socketPath' in destination ? destination.socketPath : undefined
  const origin = 'origin' in destination ? destination.origin : 'http://localhost'
  const options = {
    pipelining: 1,
    allowH2: false,
    connect: {
      timeout: limits.connect,
      ...(path === undefined ? {} : { socketPath: path }),
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.isInsecure ? { rejectUnauthorized: false } : {}),
      ...(tls.certificate === undefined || tls.key === undefined ? {} : { cert: tls.certificate, key: tls.key }),
    },
    headersTimeout: 0, // `exchange` counts from further back
    bodyTimeout: limits.idle,
    // What a guest sends with a wrong length is its own affair, and nothing of it shall go on.
    strictContentLength: true,
  }
  return { name: path ?? origin, lanes: openLanes(origin, options, limits.connections), avoidUntil: 0 }
}

/** The body of a guest's request as the next hop is to have it: with its length if it came with one, since the metadata
 *  API tells the two apart; small ones whole. @throws ClientGone */
export async function bodyToSend(request: HttpRequest): Promise<OutgoingRequest['body']> {
  const written = request.headers.get('content-length')
  const length = written === undefined ? undefined : Number(written)
  const isChunked = request.headers.get('transfer-encoding') !== undefined
  // Where a body can be expected, undici then says that its length is 0, which means the same as nothing said.
  if (length === 0 || (length === undefined && !isChunked)) return null
  if (request.stream === undefined || (length !== undefined && length <= WHOLE_BYTES)) return request.body(WHOLE_BYTES)
  return { stream: request.stream, length }
}
