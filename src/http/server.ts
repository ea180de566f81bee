import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { BodyTooLarge } from './errors.ts'
import { type Handler, type HeaderField, Headers, type HttpReply, type HttpRequest } from './messages.ts'

/** Where a server listens: an address, or a unix socket's path. */
export type Where = { readonly host: string; readonly port: number } | { readonly path: string }

export interface ServerOptions {
  /** Makes the answer of whatever a handler throws. */
  readonly onError: (error: unknown, request: HttpRequest) => HttpReply
  /** The peer's address of a socket; needed where Node cannot name it (link-local peers in a foreign namespace). */
  readonly peerAddress?: (socket: Socket) => string
  /** Puts an answer on the wire; for a server that is to do it wrong. */
  readonly write?: typeof writeReply
  readonly limits?: Partial<Limits>
  /** Take the request's id from the hop before us, which must be ours: a guest's would mislead whoever reads the logs. */
  readonly trustsRequestId?: boolean
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
  lookMilliseconds: 10_000,
  connections: 1024,
}

/** Serves a handler. Resolves when the socket is listening. */
export async function serve(handler: Handler, where: Where, options: ServerOptions): Promise<Serving> {
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
export function serveDescriptor(handler: Handler, fd: number, options: ServerOptions): Serving {
  const server = serverOf(handler, options)
  // Node calls listen(2) again, with 511 unless told otherwise.
  server.listen({ fd, backlog: BACKLOG })
  return serving(server)
}

function serverOf(handler: Handler, options: ServerOptions): Server {
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
      // Whatever goes wrong beyond a handler concerns this connection and no other.
      answer(handler, incoming, outgoing, options).catch(() => incoming.destroy())
    },
  )
  server.maxConnections = limits.connections
  server.on('clientError', refuse)
  return server
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

async function answer(handler: Handler, incoming: IncomingMessage, outgoing: ServerResponse, options: ServerOptions) {
  const request = readRequest(incoming, options)
  let reply: HttpReply
  try {
    reply = await handler(request)
  } catch (error) {
    reply = options.onError(error, request)
  }
  const write = options.write ?? writeReply
  write(reply, incoming, outgoing)
}

function readRequest(
  incoming: IncomingMessage,
  { peerAddress = peerOf, trustsRequestId = false }: ServerOptions,
): HttpRequest {
  const headers = new Headers(fieldsOf(incoming.rawHeaders))
  return {
    method: incoming.method ?? 'GET',
    target: incoming.url ?? '/',
    headers,
    remoteAddress: peerAddress(incoming.socket),
    id: (trustsRequestId ? headers.get(REQUEST_ID_HEADER) : undefined) ?? `req-${randomUUID()}`,
    body: (limit) => readBody(incoming, limit),
  }
}

/** Node gives names and values in turn. */
function fieldsOf(raw: readonly string[]): HeaderField[] {
  const fields: HeaderField[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) fields.push([(raw[i] as string).toLowerCase(), raw[i + 1] as string])
  return fields
}

async function readBody(incoming: IncomingMessage, limit: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > limit) throw new BodyTooLarge(limit)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Content-Length goes first, as eventlet writes it, unless the reply places it itself. */
export function writeReply(reply: HttpReply, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const placed = reply.headers.some(([name]) => name.toLowerCase() === 'content-length')
  const fields: string[] = placed ? [] : ['Content-Length', String(reply.body.length)]
  for (const [name, value] of reply.headers) fields.push(name, value)
  // HTTP/1.1 connections persist by themselves; neither eventlet nor haproxy spends two header lines on saying so.
  if (outgoing.shouldKeepAlive && incoming.httpVersionMinor > 0) outgoing.removeHeader('connection')
  outgoing.writeHead(reply.status, fields)
  // As text, head and body leave in one piece and one system call. Latin-1 is one character a byte, whatever the bytes.
  outgoing.end(latin1(reply.body), 'latin1')
}

/** What Node's parser refuses never becomes a request: an oversized head, a malformed line, an unknown method. */
function refuse(error: NodeJS.ErrnoException, socket: import('node:stream').Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? '408 Request Timeout' : '400 Bad Request'
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: ${status.length}\r\nConnection: close\r\n\r\n${status}`,
  )
}

function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
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
