import { type Rest, RestFailed } from './rest.ts'
import { askPatiently } from './retry.ts'

/** A name or id with its domain, as Keystone takes them. */
export interface Scoped {
  readonly id?: string
  readonly name?: string
  readonly domain?: { readonly id: string } | { readonly name: string }
}

/** What is shown to Keystone. */
export type Credentials =
  | { readonly user: Scoped; readonly password: string; readonly project: Scoped }
  | { readonly applicationCredential: Scoped & { readonly secret: string; readonly user?: Scoped } }

export interface Endpoint {
  readonly interface: string
  readonly region?: string
  readonly url: string
}

export interface Service {
  readonly type: string
  readonly endpoints: readonly Endpoint[]
}

export interface Token {
  readonly id: string
  /** On the clock of `now`. */
  readonly renewAt: number
  readonly catalog: readonly Service[]
}

/** Gives tokens, the same one to everybody until it is about to expire. */
export interface Keystone {
  /** @throws RestFailed, LoginRefused */
  token(signal: AbortSignal): Promise<Token>
  /** Says that a service refused this token: the next one is a new one. */
  discard(token: Token): void
}

/** Keystone does not know these credentials; the message says what it answered. */
export class LoginRefused extends Error {
  override readonly name = 'LoginRefused'
}

export interface KeystoneOptions {
  /** With or without `/v3`. */
  readonly authUrl: string
  readonly credentials: Credentials
  readonly retries: number
  /** Milliseconds on a clock that does not jump. */
  readonly now: () => number
}

/** A token is renewed this long before it expires, or in the middle of its life when that is sooner. */
const RENEWAL_MILLISECONDS = 60_000

export function openKeystone(rest: Rest, { authUrl, credentials, retries, now }: KeystoneOptions): Keystone {
  const url = `${versioned(authUrl)}/auth/tokens`
  let current: Token | undefined
  let login: Promise<Token> | undefined

  async function logIn(signal: AbortSignal): Promise<Token> {
    const body = JSON.stringify(loginBody(credentials))
    const headers = { 'content-type': 'application/json' }
    const answer = await askPatiently(rest, { method: 'POST', url, headers, body }, retries, signal)
    const id = answer.headers['x-subject-token']
    if (answer.status === 201 && typeof id === 'string') return tokenOf(id, answer.json, now())
    const said = messageOf(answer.json)
    if (answer.status < 500) throw new LoginRefused(`${url}: Keystone answers ${answer.status}${said}`)
    throw new RestFailed(`${url}: answers ${answer.status}${said}`)
  }

  return {
    token: async (signal) => {
      if (current !== undefined && now() < current.renewAt) return current
      login ??= logIn(signal).finally(() => {
        login = undefined
      })
      current = await login
      return current
    },
    discard: (token) => {
      if (current === token) current = undefined
    },
  }
}

function versioned(authUrl: string): string {
  const bare = authUrl.replace(/\/+$/, '').replace(/\/v2\.0$/, '')
  return bare.endsWith('/v3') ? bare : `${bare}/v3`
}

function loginBody(credentials: Credentials) {
  if ('applicationCredential' in credentials) {
    const application_credential = credentials.applicationCredential
    return { auth: { identity: { methods: ['application_credential'], application_credential } } }
  }
  const { user, password, project } = credentials
  return {
    auth: {
      identity: { methods: ['password'], password: { user: { ...user, password } } },
      scope: { project },
    },
  }
}

/** How long a token lives is measured between two moments of Keystone's own clock, so that ours may be wrong. */
function tokenOf(id: string, json: unknown, now: number): Token {
  const { token } = json as {
    token: { expires_at: string; issued_at?: string; catalog?: readonly Service[] }
  }
  const issued = token.issued_at === undefined ? Date.now() : Date.parse(token.issued_at)
  const life = Math.max(0, Date.parse(token.expires_at) - issued)
  return { id, renewAt: now + life - Math.min(RENEWAL_MILLISECONDS, life / 2), catalog: token.catalog ?? [] }
}

/** Keystone's own words, which never hold a credential. */
function messageOf(json: unknown): string {
  const message = (json as { error?: { message?: unknown } } | undefined)?.error?.message
  return typeof message === 'string' ? `: ${message.slice(0, 200)}` : ''
}

export interface EndpointWanted {
  readonly serviceType: string
  /** In order of preference: `internal`, `public`, `admin`, with or without `URL` behind. */
  readonly interfaces: readonly string[]
  /** Empty for any. */
  readonly region: string
}

/** The endpoint to use of a catalog; undefined when none fits. Pure. */
export function pickEndpoint(catalog: readonly Service[], wanted: EndpointWanted): string | undefined {
  const endpoints = catalog
    .filter(({ type }) => type === wanted.serviceType)
    .flatMap((service) => service.endpoints)
    .filter(({ region }) => wanted.region === '' || region === wanted.region)
  return wanted.interfaces
    .map((each) => endpoints.find((endpoint) => endpoint.interface === each.replace(/URL$/, ''))?.url)
    .find((url) => url !== undefined)
}
