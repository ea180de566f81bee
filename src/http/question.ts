import { request } from 'node:http'

/** One question to one hop, by somebody who has little time: no kept connection, no redirect, and an end to it. */
export interface Question {
  readonly to: { readonly socketPath: string } | { readonly host: string; readonly port: number }
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly milliseconds: number
}

export type Answer =
  | {
      readonly outcome: 'answered'
      readonly status: number
      readonly body: string
      /** Milliseconds since 1970 by the other's clock. */
      readonly date: number | undefined
      readonly milliseconds: number
    }
  /** The connection was accepted and nothing came in time. */
  | { readonly outcome: 'silent'; readonly milliseconds: number }
  /** `ECONNREFUSED`, `ENOENT`, `EACCES`, ... */
  | { readonly outcome: 'refused'; readonly code: string }

const BODY_BYTES = 16 * 1024 * 1024

/** Resolves whatever happens. */
export function askOnce({ to, path, headers = {}, milliseconds }: Question): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>()
  const started = performance.now()
  const elapsed = () => performance.now() - started
  let isConnected = false
  const asked = request({ ...to, path, headers, agent: false, signal: AbortSignal.timeout(milliseconds) }, (reply) => {
    const chunks: Buffer[] = []
    let bytes = 0
    reply.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= BODY_BYTES) chunks.push(chunk)
    })
    reply.on('error', () => resolve({ outcome: 'silent', milliseconds: elapsed() }))
    reply.on('end', () => {
      const date = Date.parse(reply.headers.date ?? '')
      resolve({
        outcome: 'answered',
        status: reply.statusCode ?? 0,
        body: Buffer.concat(chunks).toString('utf8'),
        date: Number.isNaN(date) ? undefined : date,
        milliseconds: elapsed(),
      })
    })
  })
  asked.on('socket', (socket) => socket.on('connect', () => (isConnected = true)))
  asked.on('error', (error: NodeJS.ErrnoException) => {
    if (isConnected) resolve({ outcome: 'silent', milliseconds: elapsed() })
    else resolve({ outcome: 'refused', code: error.code ?? error.name })
  })
  asked.end()
  return promise
}
