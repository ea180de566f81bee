import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { guardConnections } from './connections.ts'
import {
  type Answer,
  type Forwarder,
  type HeaderField,
  Headers,
  type HttpReply,
  type HttpRequest,
  isForwarded,
} from './messages.ts'
import { readBody, streamBody } from './request-body.ts'
import { endStage, openTrace, type Trace } from './trace.ts'
import { passOn, writeReply } from './write-reply.ts'

/** Where a server listens: an address, which processes of one user may share (`reusePort`); or a unix socket's path. */
export type Where =
  | { readonly host: string; readonly port: number; readonly reusePort?: boolean }
  | { readonly path: string }

export interface ServerOptions {
  /** Makes the answer of whatever a handler throws. */
  readonly onError: (error: unknown, request: HttpRequest) => HttpReply
  /** The peer's address of a socket; needed where Node cannot name it (link-local peers in a foreign namespace). */
  readonly peerAddress?: (socket: Socket) => string
  /** Puts an answer on the wire; for a server that is to do it wrong. */
  readonly write?: typeof writeReply
  readonly limits?: Partial<Limits>
  /** Told of each answer when it has been handed to the kernel, or could not be. */
  readonly onAnswered?: (answered: Answered) => void
  /** Take the request's id from the hop before us, which must be ours: a guest's would mislead whoever reads the logs. */
  readonly trustsRequestId?: boolean
}

/** A request and what became of it. */
export interface Answered {
  readonly request: HttpRequest
  readonly trace: Trace
  readonly status: number
  /** Of the body; of one that is passed on in pieces, what its length says. */
  readonly bytes: number
  readonly milliseconds: number
}

/** A running server. */
export interface Serving {
  /** The TCP port, where there is one; for `port: 0` the one the kernel chose. */
  readonly port: number | undefined
  /** Stops accepting, lets running requests finish (at most `graceMilliseconds`), then cuts what is left. */
  close(graceMilliseconds?: number): Promise<void>
}

/** Carries the request's id from hop to hop. */
export const REQUEST_ID_HEADER = 'x-request-id'

/** What one client, and all of them together, may take of us. */
export interface Limits {
  /** Largest request head. haproxy's buffer and eventlet's line limit are 16 KiB. */
  readonly headBytes: number
  /** A client that dribbles its head (slowloris) is cut after this; haproxy allows 30 s, cloud-init needs milliseconds. */
  readonly headMilliseconds: number
  readonly requestMilliseconds: number
  readonly keepAliveMilliseconds: number
  /** A connection on which nothing moves, in neither direction, is cut after this: a client that does not read. Longer than
   *  any answer takes to begin; 0 for never. haproxy's in the field. */
  readonly idleMilliseconds: number
  /** How often Node looks for clients over those limits. 1000 servers cost 3 ms of CPU a second at 30 s, 7 ms at 2 s. */
  readonly lookMilliseconds: number
  /** haproxy's `maxconn` in the field's configuration. */
  readonly connections: number
}

const LIMITS: Limits = {
  headBytes: 16 * 1024,
  headMilliseconds: 10_000,
  requestMilliseconds: 30_000,
  keepAliveMilliseconds: 30_000,
  idleMilliseconds: 32_000,
  lookMilliseconds: 10_000,
  connections: 1024,
}

/** Serves a handler. Resolves when the socket is listening. */
export async function serve(handler: Forwarder, where: Where, options: ServerOptions): Promise<Serving> {
  const server = serverOf(handler, options)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(where, () => {
    server.off('error', reject)
    resolve()
  })
  await promise
  return serving(server)
}

/** Connections that may wait to be accepted: haproxy's in the field. */
const BACKLOG = 1024

/** Serves a handler on a socket that is bound and listening already, and from now on is the server's to close. */
export function serveDescriptor(handler: Forwarder, fd: number, options: ServerOptions, backlog = BACKLOG): Serving {
  const server = serverOf(handler, options)
  // Node calls listen(2) again, with 511 unless told otherwise.
  server.listen({ fd, backlog })
  return serving(server)
}

function serverOf(handler: Forwarder, options: ServerOptions): Server {
  const limits = { ...LIMITS, ...options.limits }
  const server = createServer(
    {
      maxHeaderSize: limits.headBytes,
      headersTimeout: limits.headMilliseconds,
      requestTimeout: limits.requestMilliseconds,
      keepAliveTimeout: limits.keepAliveMilliseconds,
      connectionsCheckingInterval: limits.lookMilliseconds,
      requireHostHeader: false,
    },
    (incoming, outgoing) => {
      // One that asked too much at once has been cut, with questions of its own still to come.
      if (incoming.socket.destroyed) return
      const refusal = refusalOf(incoming)
      if (refusal !== undefined) {
        outgoing.shouldKeepAlive = false
        outgoing.writeHead(refusal).end()
        return
      }
      // Whatever goes wrong beyond a handler concerns this connection and no other.
      answer(handler, incoming, outgoing, options, server).catch(() => incoming.destroy())
    },
  )
  // A client may close its half behind its request and wait; Node would hang up on it. It has no type for this.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.maxConnections = limits.connections
  server.timeout = limits.idleMilliseconds
  // Should a release of Node drop the fields behind the last it counts, where this one refuses the request, then a guest
  // with enough fields could make those vanish that say who it is. One more than we take shows that there were too many.
  server.maxHeadersCount = FIELDS + 1
  guardConnections(server)
  return server
}

/** Header fields of a request. haproxy takes 101, and real clients send a dozen. */
const FIELDS = 256

/** The status of what Node's parser lets through and we do not: a flood of fields; a request of HTTP/0.9, which has none. */
function refusalOf({ rawHeaders, httpVersionMajor }: IncomingMessage): number | undefined {
  if (rawHeaders.length > 2 * FIELDS) return 431
  return httpVersionMajor === 1 ? undefined : 400
}

function serving(server: Server): Serving {
  return {
    // Asked only when wanted: for a link-local address of a foreign namespace Node throws.
    get port() {
      const address = server.address()
      return typeof address === 'object' && address !== null ? address.port : undefined
    },
    close: (grace = 5_000) => drain(server, grace),
  }
}

async function answer(
  handler: Forwarder,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  options: ServerOptions,
  server: Server,
) {
  const { onAnswered } = options
  const started = onAnswered === undefined ? 0 : performance.now()
  const trace = openTrace(onAnswered !== undefined)
  const request = readRequest(incoming, options, trace)
  let reply: Answer
  try {
    reply = await handler(request)
  } catch (error) {
    reply = options.onError(error, request)
  }
  if (onAnswered !== undefined) endStage(trace)
  // A server that is being closed waits for its connections, so none may stay; nor one whose client has closed its half.
  if (!server.listening || incoming.socket.readableEnded) outgoing.shouldKeepAlive = false
  if (isForwarded(reply)) passOn(reply, incoming, outgoing)
  else (options.write ?? writeReply)(reply, incoming, outgoing)
  onAnswered?.({
    request,
    trace,
    status: reply.status,
    bytes: bytesOf(reply),
    milliseconds: performance.now() - started,
  })
}

function bytesOf(reply: Answer): number {
  if (!isForwarded(reply)) return reply.body.length
  if (reply.forwarded instanceof Uint8Array) return reply.forwarded.length
  return Number(reply.headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1] ?? 0)
}

function readRequest(
  incoming: IncomingMessage,
  { peerAddress = peerOf, trustsRequestId = false }: ServerOptions,
  trace: Trace,
): HttpRequest {
  const headers = new Headers(fieldsOf(incoming.rawHeaders))
  return {
    method: incoming.method ?? 'GET',
    target: incoming.url ?? '/',
    headers,
    remoteAddress: peerAddress(incoming.socket),
    id: (trustsRequestId ? plainRequestId(headers) : undefined) ?? `req-${randomUUID()}`,
    body: (limit) => readBody(incoming, limit),
    stream: () => streamBody(incoming),
    trace,
  }
}

/** The hop before us may be a haproxy, which passes on what a guest sends: only what looks like an id of ours is one. */
function plainRequestId(headers: Headers): string | undefined {
  const id = headers.get(REQUEST_ID_HEADER)
  return id !== undefined && /^req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : undefined
}

/** Node gives names and values in turn. */
function fieldsOf(raw: readonly string[]): HeaderField[] {
  const fields: HeaderField[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) fields.push([(raw[i] as string).toLowerCase(), raw[i + 1] as string])
  return fields
}

function peerOf(socket: Socket): string {
  return socket.remoteAddress ?? ''
}

async function drain(server: Server, graceMilliseconds: number): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeIdleConnections()
  const cut = new AbortController()
  const grace = wait(graceMilliseconds, undefined, { signal: cut.signal }).then(
    () => server.closeAllConnections(),
    () => undefined,
  )
  await closed
  cut.abort()
  await grace
}
