import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Job, Lanes } from './lanes.ts'
import type { ForwardedReply, HeaderField, Headers } from './messages.ts'
import { notInTime, upstreamError } from './upstream-errors.ts'

export interface OutgoingRequest {
  readonly method: string
  readonly target: string
  /** Those for the next hop, without any of framing or connection. */
  readonly headers: Headers
  /** Whole, with its length; as it comes, chunked where `length` is unknown; or none, and no word about it. */
  readonly body: Uint8Array | StreamedBody | null
}

export interface StreamedBody {
  readonly stream: () => Readable
  readonly length: number | undefined
}

/** In bytes. A body up to this size is passed on when all of it is there, so that it can be sent again. */
export const WHOLE_BYTES = 64 * 1024

/**
 * Sends one request over one connection and gives the answer as it comes. Nothing is decoded, followed or repeated.
 *
 * @param patience  milliseconds to the head of the answer, and to the end of one that is passed on whole
 * @throws Unreachable, UpstreamTimeout, UpstreamBroken, NotForwardable
 */
export function exchange(
  lanes: Lanes,
  name: string,
  request: OutgoingRequest,
  patience: number,
): Promise<ForwardedReply> {
  const { promise, resolve, reject } = Promise.withResolvers<ForwardedReply>()
  const { method, target, headers, body } = request
  let controller: Dispatcher.DispatchController | undefined
  let receive: Receiver | undefined
  let cut = () => {}
  let withdraw = () => {}

  const fail = (error: Error) => {
    clearTimeout(timer)
    withdraw()
    cut()
    receive?.fail(error)
    reject(error)
  }
  const timer = setTimeout(() => fail(notInTime(name)), patience)

  const job: Job = (connection, release) => {
    cut = () => release(false)
    connection.dispatch(
      {
        path: target,
        method,
        headers: headers.fields.flat().concat(lengthField(body)),
        body: isStream(body) ? body.stream() : body,
      },
      {
        onRequestStart(given) {
          controller = given
        },
        onResponseStart(given, status) {
          if (status < 200) return
          const fields = endToEnd(given.rawHeaders as readonly Buffer[])
          const settle = (forwarded: ForwardedReply['forwarded']) => {
            clearTimeout(timer)
            resolve({ status, headers: fields, forwarded })
          }
          receive = isSmall(method, status, fields) ? wholeBody(settle) : streamedBody(given, settle)
        },
        onResponseData: (_, chunk) => receive?.take(chunk),
        onResponseEnd: () => {
          // An answer may come before all of a stream was sent.
          release(!isStream(body))
          receive?.end()
        },
        onResponseError: (_, error) => fail(upstreamError(error, name, controller !== undefined)),
      },
    )
  }
  withdraw = lanes.use(job)
  return promise
}

interface Receiver {
  take(chunk: Buffer): void
  end(): void
  fail(error: Error): void
}

type Settle = (body: Uint8Array | Readable) => void

function wholeBody(settle: Settle): Receiver {
  const chunks: Buffer[] = []
  return {
    take: (chunk) => void chunks.push(chunk),
    end: () => settle(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)),
    fail: () => undefined,
  }
}

/** Read no faster than it is taken. */
function streamedBody(controller: Dispatcher.DispatchController, settle: Settle): Receiver {
  let isOver = false
  const stream = new Readable({
    read: () => controller.resume(),
    destroy: (error, done) => {
      if (!isOver) controller.abort(error ?? new Error('the answer is wanted no longer'))
      done(error)
    },
  })
  stream.on('error', () => undefined) // its reader may be gone by then
  settle(stream)
  return {
    take: (chunk) => {
      if (!stream.push(chunk)) controller.pause()
    },
    end: () => {
      isOver = true
      stream.push(null)
    },
    fail: (error) => {
      isOver = true
      stream.destroy(error)
    },
  }
}

function isSmall(method: string, status: number, fields: readonly HeaderField[]): boolean {
  if (method === 'HEAD' || status === 204 || status === 304) return true
  const length = fields.find(([name]) => name.toLowerCase() === 'content-length')?.[1]
  return length !== undefined && Number(length) <= WHOLE_BYTES
}

/** undici says the length of whole bodies itself. */
function lengthField(body: OutgoingRequest['body']): string[] {
  return isStream(body) && body.length !== undefined ? ['content-length', String(body.length)] : []
}

export function isStream(body: OutgoingRequest['body']): body is StreamedBody {
  return body !== null && !(body instanceof Uint8Array)
}

/** Header fields of one connection, which a proxy does not pass on: RFC 9110, 7.6.1. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The header fields meant for the client, without those that describe this hop, or that it says do (RFC 9110, 7.6.1). */
function endToEnd(raw: readonly Buffer[]): HeaderField[] {
  const fields: HeaderField[] = []
  let named: ReadonlySet<string> | undefined
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] as Buffer).toString('latin1')
    const value = (raw[i + 1] as Buffer).toString('latin1')
    const lower = name.toLowerCase()
    if (lower === 'connection') named = new Set(value.toLowerCase().split(/[ \t]*,[ \t]*/))
    if (!HOP_BY_HOP.has(lower)) fields.push([name, value])
  }
  // Almost always `close` or `keep-alive`, which is no field of an answer.
  return named === undefined ? fields : fields.filter(([name]) => !named.has(name.toLowerCase()) || isFraming(name))
}

/** A peer that calls the length a matter of the hop would have us guess where the answer ends. */
function isFraming(name: string): boolean {
  return name.toLowerCase() === 'content-length'
}
