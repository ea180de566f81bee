import { randomUUID } from 'node:crypto'
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { listPorts, neutronError, type WirePort } from './fake-neutron-ports.ts'

/** What a request of ours looked like. */
export interface Asked {
  readonly method: string
  readonly target: string
  readonly token: string | undefined
  readonly body: string
}

export interface FakeNeutronOptions {
  /** Where given, Keystone stands beside it (`/v3`), takes just this password, and ports need a token of its. */
  readonly password?: string
  /** Served over TLS with it. */
  readonly certificate?: { readonly cert: string; readonly key: string }
  /** Neutron's `pagination_max_limit`. */
  readonly mostPorts?: number
  /** How long a token lives. */
  readonly tokenSeconds?: number
}

/** Neutron's port collection, and a Keystone. Refuses what the real one refuses, in the words that were recorded. */
export interface FakeNeutron {
  readonly url: string
  readonly ports: WirePort[]
  readonly asked: Asked[]
  /** Answers that the next requests for ports get instead of their own; `hang` is none at all. */
  readonly troubles: (number | 'hang')[]
  /** Tokens given so far stop being good. */
  revokeTokens(): void
  /** Stops listening and cuts every connection; `start` begins again at the same place. */
  stop(): Promise<void>
  start(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export async function startFakeNeutron(options: FakeNeutronOptions = {}): Promise<FakeNeutron> {
  const { password, certificate, tokenSeconds = 3_600 } = options
  const ports: WirePort[] = []
  const asked: Asked[] = []
  const troubles: (number | 'hang')[] = []
  const tokens = new Set<string>()
  let port = 0

  const listener = async (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const token = incoming.headers['x-auth-token']?.toString()
    const chunks: Buffer[] = []
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString()
    asked.push({ method: incoming.method ?? '', target: incoming.url ?? '', token, body })
    const answer = answerTo(new URL(incoming.url ?? '/', fake.url), token, body)
    if (answer === 'hang') return
    outgoing
      .writeHead(answer.status, {
        'Content-Type': 'application/json',
        'X-Openstack-Request-Id': `req-${randomUUID()}`,
        ...answer.headers,
      })
      .end(JSON.stringify(answer.body))
  }

  function answerTo(url: URL, token: string | undefined, body: string): Answer | 'hang' {
    if (url.pathname === '/v3/auth/tokens') return logIn(JSON.parse(body))
    if (password !== undefined && (token === undefined || !tokens.has(token)))
      return {
        status: 401,
        body: {
          error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
        },
      }
    const trouble = troubles.shift()
    if (trouble === 'hang') return 'hang'
    if (trouble !== undefined) return neutronError(trouble, 'ServiceUnavailable', 'The service is unavailable.')
    if (url.pathname === '/v2.0/ports') return listPorts(ports, url, options.mostPorts)
    return neutronError(404, 'HTTPNotFound', 'The resource could not be found.')
  }

  /** As Keystone answers a password or an application credential's secret. */
  function logIn({
    auth,
  }: {
    auth: { identity: Record<string, { user?: { password?: string }; secret?: string }> }
  }): Answer {
    const { password: user, application_credential: credential } = auth.identity
    if (password === undefined || (user?.user?.password ?? credential?.secret) !== password)
      return {
        status: 401,
        body: {
          error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' },
        },
      }
    const id = `gAAAA-${randomUUID()}`
    tokens.add(id)
    const [issued, expires] = [new Date(), new Date(Date.now() + tokenSeconds * 1000)]
    const endpoints = [
      { interface: 'public', region: 'one', region_id: 'one', url: 'http://public.invalid:9696' },
      { interface: 'internal', region: 'two', region_id: 'two', url: 'http://two.invalid:9696/' },
      { interface: 'internal', region: 'one', region_id: 'one', url: `${fake.url}/` },
    ]
    const token = {
      issued_at: issued.toISOString(),
      expires_at: expires.toISOString(),
      catalog: [{ type: 'network', name: 'neutron', endpoints }],
    }
    return { status: 201, body: { token }, headers: { 'X-Subject-Token': id } }
  }

  const server = certificate === undefined ? createPlainServer(listener) : createTlsServer(certificate, listener)
  const start = async () => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve())
    await promise
    port = (server.address() as AddressInfo).port
  }
  const fake: FakeNeutron = {
    get url() {
      return `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
    },
    ports,
    asked,
    troubles,
    revokeTokens: () => tokens.clear(),
    start,
    stop: async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      server.closeAllConnections()
      await promise
    },
  }
  await start()
  return fake
}
