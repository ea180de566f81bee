import { getCACertificates } from 'node:tls'
import { Agent, request } from 'undici'

export interface RestOptions {
  /** For one question, from the connection to the last byte. */
  readonly milliseconds: number
  readonly tls: TlsOptions
}

export interface TlsOptions {
  /** Certificates (PEM) of the authorities to trust in place of the system's. */
  readonly authorities?: string
  /** Both PEM. */
  readonly client?: { readonly certificate: string; readonly key: string }
  readonly isUnchecked?: boolean
}

export interface RestQuestion {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface RestAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** undefined when the body is no JSON. */
  readonly json: unknown
}

/** Asks services that speak JSON over HTTP. Redirects are not followed, proxies of the environment not used. */
export interface Rest {
  /** @throws RestFailed when no whole answer came */
  ask(question: RestQuestion, signal: AbortSignal): Promise<RestAnswer>
  close(): Promise<void>
}

/** No answer; the message says why and holds no secret. */
export class RestFailed extends Error {
  override readonly name = 'RestFailed'
}

/** Ports of a full page are about 1 kB each. */
const ANSWER_BYTES = 16 * 1024 * 1024
/** To one service at a time; more questions wait. */
const CONNECTIONS = 16

export function openRest({ milliseconds, tls }: RestOptions): Rest {
  const agents = new Map<string, Agent>()

  /** Reading the system's certificates takes 50 ms, and plain HTTP needs none. */
  function agentFor({ protocol }: URL): Agent {
    const known = agents.get(protocol)
    if (known !== undefined) return known
    const agent = new Agent({
      connections: CONNECTIONS,
      connect: { timeout: milliseconds, ...(protocol === 'https:' ? secured(tls) : {}) },
      maxResponseSize: ANSWER_BYTES,
    })
    agents.set(protocol, agent)
    return agent
  }

  return {
    ask: async ({ method, url, headers, body }, signal) => {
      const parsed = new URL(url)
      const patience = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)])
      try {
        const answer = await request(parsed, {
          method,
          headers: { accept: 'application/json', ...headers },
          ...(body === undefined ? {} : { body }),
          dispatcher: agentFor(parsed),
          signal: patience,
        })
        return { status: answer.statusCode, headers: answer.headers, json: parseJson(await answer.body.text()) }
      } catch (error) {
        throw new RestFailed(`${parsed.origin}: ${reasonOf(error)}`)
      }
    },
    close: async () => {
      await Promise.all([...agents.values()].map((agent) => agent.destroy()))
    },
  }
}

function secured({ authorities, client, isUnchecked = false }: TlsOptions) {
  return {
    ca: authorities ?? getCACertificates('system'),
    rejectUnauthorized: !isUnchecked,
    ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** By error code where the message would not help an operator. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the name server does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_SOCKET: 'the connection was closed before the whole answer came',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'the answer is too long',
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'no whole answer in time'
  const code = 'code' in error ? String(error.code) : ''
  return REASONS[code] ?? (error.message || code)
}
