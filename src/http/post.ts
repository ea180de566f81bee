import { getCACertificates } from 'node:tls'
import type { Agent } from 'undici'

export interface PosterOptions {
  /** For the connection, TLS included. */
  readonly connectMilliseconds: number
  /** For the head of an answer, and again between the pieces of its body. */
  readonly readMilliseconds: number
  /** An answer with a longer body is given up. */
  readonly answerBytes: number
  /** Certificates (PEM) of the authorities to trust in place of the system's; undefined for the system's. */
  readonly authorities: string | undefined
  /** For everything, redirects included; what connection and two readings may take when absent. */
  readonly patienceMilliseconds?: number
}

export interface Posted {
  readonly status: number
  readonly body: Uint8Array
}

/** POSTs to whole URLs, each time over a connection of its own, so that none is found closed. */
export interface Poster {
  /** Resolves when the client is loaded, which takes 60 ms; questions before that wait. */
  readonly ready: Promise<unknown>
  /**
   * Follows redirects with the same method and body, as keystoneauth does (not as browsers do). A user and password in
   * the URL are sent as basic authentication.
   * @throws PostFailed when no whole answer came, whatever the reason
   */
  post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Posted>
}

/** No answer; the message says why in words of an operator, and holds no secret. */
export class PostFailed extends Error {
  override readonly name = 'PostFailed'
}

/** keystoneauth's. */
const MAX_REDIRECTS = 30
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 305, 307, 308])

export function openPoster(options: PosterOptions): Poster {
  const { connectMilliseconds, readMilliseconds, answerBytes, authorities } = options
  // Most installations post nothing, and none shall wait for this at its start.
  const loading = import('undici')
  const agents = new Map<string, Agent>()

  /** Reading the system's certificates takes 50 ms, and plain HTTP needs none. */
  function agentOf(protocol: string, AgentClass: typeof Agent): Agent {
    const known = agents.get(protocol)
    if (known !== undefined) return known
    const ca = protocol === 'https:' ? (authorities ?? getCACertificates('system')) : []
    const agent = new AgentClass({
      connect: { timeout: connectMilliseconds, ...(ca.length === 0 ? {} : { ca }) },
      headersTimeout: readMilliseconds,
      bodyTimeout: readMilliseconds,
      maxResponseSize: answerBytes,
    })
    agents.set(protocol, agent)
    return agent
  }

  /** Each piece may come just in time for ever; a whole answer may not. */
  const patience = options.patienceMilliseconds ?? connectMilliseconds + 2 * readMilliseconds

  async function post(target: string, headers: Readonly<Record<string, string>>, body: string): Promise<Posted> {
    const { Agent, request } = await loading
    const signal = AbortSignal.timeout(patience)
    let url = httpUrl(target)
    for (let followed = 0; followed <= MAX_REDIRECTS; followed += 1) {
      const answer = await request(`${url.origin}${url.pathname}${url.search}`, {
        method: 'POST',
        headers: { ...headers, ...authorization(url) },
        body,
        dispatcher: agentOf(url.protocol, Agent),
        reset: true,
        signal,
      })
      const { location } = answer.headers
      const posted = { status: answer.statusCode, body: await answer.body.bytes() }
      if (!REDIRECTS.has(posted.status) || typeof location !== 'string') return posted
      url = httpUrl(location, url)
    }
    throw new PostFailed(`redirected more than ${MAX_REDIRECTS} times`)
  }

  return {
    ready: loading,
    post: async (url, headers, body) => {
      try {
        return await post(url, headers, body)
      } catch (error) {
        throw error instanceof PostFailed ? error : new PostFailed(reasonOf(error), { cause: error })
      }
    },
  }
}

function httpUrl(text: string, base?: URL): URL {
  const url = URL.parse(text, base?.href)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) throw new PostFailed('the URL is not one of HTTP')
  return url
}

function authorization({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {}
  const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { Authorization: `Basic ${Buffer.from(user, 'latin1').toString('base64')}` }
}

const UNTRUSTED = 'its certificate is of no authority that is trusted'
const CUT = 'the connection was closed before the whole answer came'

/** By error code: undici's, the system's, OpenSSL's. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the name server does not answer',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped in the middle',
  UND_ERR_SOCKET: CUT,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: CUT,
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'the answer is too long',
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'the whole answer took too long'
  const code = 'code' in error ? String(error.code) : ''
  return REASONS[code] ?? (error.message.trim() || code)
}
