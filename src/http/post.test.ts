import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { OTHER_AUTHORITY, SERVER_CERTIFICATE, SERVER_KEY } from '../../test/support/certificates.ts'
import { openPoster, type PosterOptions, PostFailed } from './post.ts'

const LIMITS: PosterOptions = {
  connectMilliseconds: 2000,
  readMilliseconds: 60,
  answerBytes: 1000,
  authorities: SERVER_CERTIFICATE,
}
const poster = openPoster(LIMITS)

/** What the server does, by path. */
const behaviours: Readonly<Record<string, (answer: ServerResponse, asked: IncomingMessage, body: string) => void>> = {
  '/echo': (answer, { method, headers }, body) =>
    answer.end(
      JSON.stringify({
        method,
        body,
        type: headers['content-type'],
        user: headers.authorization,
        connection: headers.connection,
      }),
    ),
  '/echo?a=b': (answer) => answer.end('with its query'),
  '/500': (answer) => answer.writeHead(500).end('{}'),
  '/204': (answer) => answer.writeHead(204).end(),
  '/moved': (answer) => answer.writeHead(302, { Location: '/echo' }).end(),
  '/moved-nowhere': (answer) => answer.writeHead(301).end('here'),
  '/moved-again': (answer) => answer.writeHead(307, { Location: '/moved-again' }).end(),
  '/moved-to-file': (answer) => answer.writeHead(308, { Location: 'file:///etc/passwd' }).end(),
  '/silent': () => undefined,
  '/stalls': (answer) => answer.writeHead(200, { 'Content-Length': 100 }).write('{'),
  '/drips': (answer) => {
    const drip = setInterval(() => answer.write(' '), 20)
    answer.on('close', () => clearInterval(drip))
  },
  '/long': (answer) => answer.end('x'.repeat(1001)),
  '/resets': (_, asked) => asked.socket.resetAndDestroy(),
  '/ends-early': (answer, asked) => {
    answer.writeHead(200, { 'Content-Length': 100 })
    answer.write('{', () => asked.socket.destroy())
  },
}

/** The client's own clock ticks twice a second, so that what runs out of time takes about one. */
describe('a POST', { concurrency: true }, () => {
  let http: Server
  let https: Server
  let deaf: TcpServer
  let at: Readonly<Record<'http' | 'https' | 'deaf' | 'closed', string>>

  before(async () => {
    const behave = async (asked: IncomingMessage, answer: ServerResponse) =>
      behaviours[asked.url ?? '']?.(answer, asked, await text(asked))
    http = createServer(behave)
    https = createTlsServer({ cert: SERVER_CERTIFICATE, key: SERVER_KEY }, behave)
    deaf = createTcpServer(() => undefined)
    const closed = createTcpServer()
    const [one, two, three, four] = await Promise.all([http, https, deaf, closed].map(listen))
    closed.close()
    at = {
      http: `http://user%40site:pass@127.0.0.1:${one}`,
      https: `https://127.0.0.1:${two}`,
      deaf: `https://127.0.0.1:${three}`,
      closed: `http://127.0.0.1:${four}`,
    }
  })
  after(() => {
    for (const server of [http, https]) {
      server.close()
      server.closeAllConnections()
    }
    deaf.close()
  })

  const post = (url: string, by = poster) => by.post(url, { 'Content-Type': 'application/json' }, '"é"')

  const answered: readonly { name: string; path: string; want: readonly [status: number, body: string] }[] = [
    { name: 'a query', path: '/echo?a=b', want: [200, 'with its query'] },
    { name: 'an error', path: '/500', want: [500, '{}'] },
    { name: 'nothing', path: '/204', want: [204, ''] },
    { name: 'a redirect that leads nowhere', path: '/moved-nowhere', want: [301, 'here'] },
  ]
  for (const { name, path, want } of answered)
    it(`gives back what was answered: ${name}`, async () => {
      const { status, body } = await post(at.http + path)
      assert.deepEqual([status, Buffer.from(body).toString()], want)
    })

  for (const path of ['/echo', '/moved'])
    it(`carries body, fields and the URL’s password to ${path}, on a connection for this once`, async () => {
      const { body } = await post(at.http + path)
      assert.deepEqual(JSON.parse(Buffer.from(body).toString()), {
        method: 'POST',
        body: '"é"',
        type: 'application/json',
        user: `Basic ${Buffer.from('user@site:pass').toString('base64')}`,
        connection: 'close',
      })
    })

  it('trusts the authorities it is given, and no others', async () => {
    assert.equal((await post(`${at.https}/204`)).status, 204)
    for (const authorities of [OTHER_AUTHORITY, undefined])
      await assert.rejects(post(`${at.https}/204`, openPoster({ ...LIMITS, authorities })), {
        name: 'PostFailed',
        message: 'its certificate is of no authority that is trusted',
      })
  })

  const failing: readonly { name: string; to: () => string; by?: PosterOptions; want: string }[] = [
    { name: 'nobody listens', to: () => at.closed, want: 'connection refused' },
    {
      name: 'no greeting',
      to: () => at.deaf,
      by: { ...LIMITS, connectMilliseconds: 100, readMilliseconds: 1000 },
      want: 'no connection in time',
    },
    { name: 'no TLS', to: () => at.http.replace('http', 'https'), want: 'it does not speak TLS' },
    { name: 'no answer', to: () => `${at.http}/silent`, want: 'no answer in time' },
    { name: 'half an answer', to: () => `${at.http}/stalls`, want: 'the answer stopped in the middle' },
    { name: 'an answer without an end', to: () => `${at.http}/drips`, want: 'the whole answer took too long' },
    { name: 'too much', to: () => `${at.http}/long`, want: 'the answer is too long' },
    { name: 'a reset', to: () => `${at.http}/resets`, want: 'connection reset' },
    {
      name: 'an early end',
      to: () => `${at.http}/ends-early`,
      want: 'the connection was closed before the whole answer came',
    },
    { name: 'a circle', to: () => `${at.http}/moved-again`, want: 'redirected more than 30 times' },
    { name: 'a redirect out of HTTP', to: () => `${at.http}/moved-to-file`, want: 'the URL is not one of HTTP' },
    { name: 'no URL', to: () => 'somewhere', want: 'the URL is not one of HTTP' },
  ]
  for (const { name, to, by, want } of failing)
    it(`says why there is no answer: ${name}`, async () => {
      await assert.rejects(post(to(), by && openPoster(by)), (error: Error) => {
        assert.ok(error instanceof PostFailed, String(error))
        assert.equal(error.message, want)
        return true
      })
    })
})

async function listen(server: Server | TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
