import { request } from 'node:http'
import { ADDRESSES, type ServeProcess, type ServerName } from './serve-process.ts'

export interface Answer {
  readonly status: number
  readonly body: Buffer
}

export interface AskOptions {
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** Sends one request as a guest. @throws when the connection ends before the whole answer is there */
export type Ask = (path: string, options?: AskOptions) => Promise<Answer>

/** Asks from the server's address, under the client's name. A client that keeps us waiting for 5 s is given up. */
export function askAs(serve: ServeProcess, server: ServerName, userAgent?: string): Ask {
  return (path, { method = 'GET', body, headers = {} } = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const agent = userAgent === undefined ? {} : { 'User-Agent': userAgent }
    const outgoing = request({
      host: '127.0.0.1',
      port: serve.port,
      localAddress: ADDRESSES[server],
      agent: false,
      method,
      path,
      headers: { ...agent, ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }), ...headers },
      timeout: 5_000,
    })
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer for ${path}`)))
    outgoing.on('error', reject)
    outgoing.on('response', async (incoming) => {
      const chunks: Buffer[] = []
      try {
        for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks) })
      } catch (error) {
        reject(error)
      }
    })
    outgoing.end(body)
    return promise
  }
}

/** Remembers what was asked, in order. */
export function recorded(ask: Ask): { readonly ask: Ask; readonly asked: readonly string[] } {
  const asked: string[] = []
  return {
    asked,
    ask: (path, options) => {
      asked.push(path)
      return ask(path, options)
    },
  }
}

/**
 * The answer of the first try that `isFinal` says is none to be repeated, or of the last try. A broken connection is
 * a try like any other. The clients' pauses between tries are left out.
 * @throws when the last try has no answer
 */
export async function tryTimes(times: number, send: () => Promise<Answer>, isFinal: (answer: Answer) => boolean) {
  for (let left = times - 1; left > 0; left -= 1) {
    const answer = await send().catch(() => undefined)
    if (answer !== undefined && isFinal(answer)) return answer
  }
  return send()
}
