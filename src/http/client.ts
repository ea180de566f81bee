import { Readable } from 'node:stream'
import { Pool } from 'undici'
import { MetadataError } from './errors.ts'
import type { Headers, HttpReply } from './messages.ts'

/** Where the next hop listens. */
export type Destination = { readonly origin: string } | { readonly socketPath: string }

export interface OutgoingRequest {
  readonly method: string
  readonly target: string
  readonly headers: Headers
  readonly body: Uint8Array
  /** The body came with its length. One that did not goes on without, since the metadata API tells the two apart. */
  readonly isSized: boolean
}

/** Sends requests to one next hop over kept connections. Nothing is decoded, followed or retried. */
export interface HttpClient {
  /** @throws Unreachable, UpstreamTimeout */
  send(request: OutgoingRequest): Promise<HttpReply>
  close(): Promise<void>
}

/** The next hop does not accept connections: nobody listens, or the name or path is wrong. */
export class Unreachable extends MetadataError {
  override readonly name = 'Unreachable'
  readonly status = 503
  readonly code = 'upstream-unreachable'
  override readonly headers = [['Retry-After', '2']] as const
}

/** The next hop took the request and did not answer in time. */
export class UpstreamTimeout extends MetadataError {
  override readonly name = 'UpstreamTimeout'
  readonly status = 504
  readonly code = 'upstream-timeout'
}

const CONNECT_MILLISECONDS = 3_000
/** Below the 32 s after which a haproxy in front would answer 504 itself. */
const ANSWER_MILLISECONDS = 28_000

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

export function openHttpClient(destination: Destination): HttpClient {
  const path = 'socketPath' in destination ? destination.socketPath : undefined
  const origin = 'origin' in destination ? destination.origin : 'http://localhost'
  const name = path ?? origin
  const pool = new Pool(origin, {
    connections: 64,
    pipelining: 1,
    connect: { timeout: CONNECT_MILLISECONDS, ...(path === undefined ? {} : { socketPath: path }) },
    headersTimeout: ANSWER_MILLISECONDS,
    bodyTimeout: ANSWER_MILLISECONDS,
  })
  return {
    close: () => pool.close(),
    send: async ({ method, target, headers, body, isSized }) => {
      try {
        const answer = await pool.request({
          method: method as 'GET',
          path: target,
          headers: headers.fields.flat(),
          body: isSized ? body : WITHOUT_BODY.has(method) ? null : unsized(body),
          responseHeaders: 'raw',
        })
        return {
          status: answer.statusCode,
          headers: endToEnd(answer.headers as unknown as readonly string[]),
          body: new Uint8Array(await answer.body.arrayBuffer()),
        }
      } catch (error) {
        throw named(error, name)
      }
    },
  }
}

/** The header fields meant for the client, without those that describe this hop. */
function endToEnd(raw: readonly string[]): (readonly [string, string])[] {
  const fields: (readonly [string, string])[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    if (!HOP_BY_HOP.has(name.toLowerCase())) fields.push([name, raw[i + 1] as string])
  }
  return fields
}

/** Methods whose requests need not say that they carry nothing. */
const WITHOUT_BODY: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE'])

function unsized(body: Uint8Array): Readable {
  return Readable.from([body])
}

/** The request cannot be passed on: its target is no path, its method no method. */
export class NotForwardable extends MetadataError {
  override readonly name = 'NotForwardable'
  readonly status = 400
  readonly code = 'not-forwardable'
}

const TIMEOUTS: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

function named(error: unknown, destination: string): MetadataError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'UND_ERR_INVALID_ARG')
    return new NotForwardable('The request cannot be understood by the metadata service.', { cause: error })
  return TIMEOUTS.has(code)
    ? new UpstreamTimeout('The metadata service did not answer in time.', { cause: error })
    : new Unreachable(`The metadata service is not reachable. Please try your request again.`, {
        cause: new Error(`${destination}: ${code || error}`, { cause: error }),
      })
}
