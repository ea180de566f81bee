import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, describe, it } from 'node:test'
import type { TLSSocket } from 'node:tls'
import type { ClientOptions, TlsOptions } from '../src/http/client.ts'
import { OTHER_AUTHORITY, SERVER_CERTIFICATE, SERVER_KEY } from './support/certificates.ts'
import { closeAll, closing, GET, hop, NO_HOLD, opened } from './support/hop.ts'
import { exchangeRaw, type Listening, listenHttp, listenRaw } from './support/raw-http.ts'

/** Our hop as a client of TLS; the server's certificate is its own authority, and good as a client's too. */
const TLS = { ca: SERVER_CERTIFICATE }
const CLIENT = { certificate: SERVER_CERTIFICATE, key: SERVER_KEY }

after(closeAll)

describe('an upstream in trouble', () => {
  const cutting = (head: string) => opened(listenRaw((socket) => socket.once('data', () => socket.end(head))))

  const rows: { name: string; upstream: () => Promise<Listening>; want: RegExp; options?: ClientOptions }[] = [
    { name: 'that closes without an answer: 502', upstream: () => cutting(''), want: /^HTTP\/1.1 502 / },
    { name: 'that does not speak HTTP: 502', upstream: () => cutting('SSH-2.0-x\r\n'), want: /^HTTP\/1.1 502 / },
    {
      name: 'that breaks off in a small body: 502',
      upstream: () => cutting('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc'),
      want: /^HTTP\/1.1 502 /,
    },
    {
      name: 'that breaks off in a large body: so does the answer',
      upstream: () => cutting(`HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n${'x'.repeat(99_000)}`),
      want: /^HTTP\/1.1 200 [\s\S]*x$/,
    },
    {
      name: 'that says nothing: 504',
      upstream: () => opened(listenRaw(() => undefined)),
      want: /^HTTP\/1.1 504 /,
      options: { limits: { answer: 200 } },
    },
    {
      name: 'that stops in a small body: 504',
      upstream: () =>
        opened(
          listenRaw((socket) =>
            socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc')),
          ),
        ),
      want: /^HTTP\/1.1 504 /,
      options: { limits: { answer: 200 } },
    },
  ]
  for (const { name, upstream, want, options = {} } of rows)
    it(name, async () => assert.match(await exchangeRaw(await hop([await upstream()], options), GET), want))

  it('that stops in a large body: the answer is cut', async () => {
    const upstream = await opened(
      listenRaw((socket) =>
        socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nabc')),
      ),
    )
    assert.match(await exchangeRaw(await hop([upstream], { limits: { idle: 500 } }), GET), /^HTTP\/1.1 200 [\s\S]*abc$/)
  })

  it('that is not there: 503 with Retry-After, after a while', async () => {
    const port = await hop([{ origin: 'http://127.0.0.1:1' }], { limits: { hold: 600 } })
    const started = performance.now()
    assert.match(await exchangeRaw(port, GET), /^HTTP\/1.1 503 [\s\S]*\r\nRetry-After: \d+\r\n/)
    assert.ok(performance.now() - started > 250, 'it was held')
  })

  it('that comes back: who waits is answered', async () => {
    const gone = await listenHttp(() => undefined)
    await gone.close()
    const port = await hop([gone], { limits: { hold: 20_000 } })
    const waiting = exchangeRaw(port, GET)
    await opened(listenHttp((_, answer) => answer.end('back'), gone.port))
    assert.match(await waiting, /^HTTP\/1.1 200 [\s\S]*back/)
  })

  it('that is not there: only so many wait, and others hear it at once', async () => {
    const port = await hop([{ origin: 'http://127.0.0.1:1' }], { limits: { hold: 5_000, held: 0 } })
    const started = performance.now()
    assert.match(await exchangeRaw(port, GET), /^HTTP\/1.1 503 /)
    assert.ok(performance.now() - started < 4_000)
  })

  it('that breaks off two requests as it dies: whoever may ask again is answered by the next', async () => {
    let taken = 0
    const dead = Promise.withResolvers<void>()
    const dying = await opened(
      listenRaw((socket) => {
        socket.on('data', () => {
          taken += 1
          socket.destroy()
          if (taken === 2) dying.close().then(dead.resolve, dead.reject)
        })
      }),
    )
    const port = await hop([dying], { limits: { hold: 20_000 } })
    const waiting = exchangeRaw(port, GET)
    await dead.promise
    await opened(listenHttp((_, answer) => answer.end('back'), dying.port))
    assert.match(await waiting, /^HTTP\/1.1 200 [\s\S]*back/)
  })

  it('that breaks off every request is not asked for ever', async () => {
    let taken = 0
    const upstream = await opened(
      listenRaw((socket) => {
        socket.on('data', () => {
          taken += 1
          socket.destroy()
        })
      }),
    )
    assert.match(await exchangeRaw(await hop([upstream]), GET), /^HTTP\/1.1 502 /)
    assert.equal(taken, 3)
  })

  it('that closes kept connections without a word: asked again, but not what must not be repeated', async () => {
    let posts = 0
    const upstream = await opened(
      listenRaw((socket) => {
        let count = 0
        socket.on('data', (bytes) => {
          count += 1
          if (bytes.toString().startsWith('POST')) posts += 1
          if (count > 1) socket.destroy()
          else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
        })
      }),
    )
    const port = await hop([upstream], { limits: { connections: 1 } })
    for (let i = 0; i < 4; i += 1) assert.match(await exchangeRaw(port, GET), /^HTTP\/1.1 200 /)
    assert.match(await exchangeRaw(port, GET.replace('GET', 'POST')), /^HTTP\/1.1 (200|502) /)
    assert.equal(posts, 1)
  })
})

describe('of several upstreams', () => {
  const named = (name: string, status = 200) => opened(listenHttp((_, answer) => answer.writeHead(status).end(name)))
  const ask = async (port: number, request = GET) => (await exchangeRaw(port, request)).split('\r\n\r\n')[1]

  it('each takes its turn', async () => {
    const port = await hop([await named('one'), await named('two')])
    assert.deepEqual(new Set([await ask(port), await ask(port)]), new Set(['3\r\none\r\n0', '3\r\ntwo\r\n0']))
  })

  it('one that is not there is passed over, whatever the method', async () => {
    const port = await hop([{ origin: 'http://127.0.0.1:1' }, await named('alive')])
    const post = `POST /a HTTP/1.1\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc`
    for (const request of [GET, post, GET, post]) assert.match((await ask(port, request)) ?? '', /alive/)
  })

  it('one that cannot serve is passed over, but what is not to be repeated is not', async () => {
    const port = await hop([await named('busy', 503), await named('alive')])
    for (let i = 0; i < 3; i += 1) assert.match((await ask(port)) ?? '', /alive/)
    const answers = [await ask(port, GET.replace('GET', 'POST')), await ask(port, GET.replace('GET', 'POST'))]
    assert.ok(answers.some((answer) => answer?.includes('busy')))
  })

  it('none is asked by way of a proxy of the environment', async () => {
    const before = process.env['http_proxy']
    process.env['http_proxy'] = 'http://127.0.0.1:1'
    try {
      assert.match((await ask(await hop([await named('direct')]))) ?? '', /direct/)
    } finally {
      if (before === undefined) delete process.env['http_proxy']
      else process.env['http_proxy'] = before
    }
  })
})

describe('an upstream that speaks TLS', () => {
  /** @returns what the server says of its client, or the status our hop comes to */
  async function ask(tls: TlsOptions, server: object = {}): Promise<string> {
    const upstream = createServer({ cert: SERVER_CERTIFICATE, key: SERVER_KEY, ...server }, (request, answer) => {
      const { subject } = (request.socket as TLSSocket).getPeerCertificate() ?? {}
      answer.end(`client ${subject?.CN ?? 'unknown'}`)
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    upstream.listen(0, '127.0.0.1', resolve)
    await promise
    closing(async () => void upstream.close())
    const { port } = upstream.address() as AddressInfo
    // A Host that goes through would be the name the certificate has to be for; the agent lets none through.
    const request = GET.replace('Host: x\r\n', '')
    const got = await exchangeRaw(await hop([{ origin: `https://127.0.0.1:${port}` }], { tls, ...NO_HOLD }), request)
    return /client \S+/.exec(got)?.[0] ?? got.slice(9, 12)
  }
  const asking = { requestCert: true, ca: SERVER_CERTIFICATE }

  const rows: { name: string; tls: TlsOptions; server?: object; want: string }[] = [
    { name: 'and is known', tls: TLS, want: 'client unknown' },
    { name: 'and is not known', tls: {}, want: '503' },
    { name: 'and has another authority', tls: { ca: OTHER_AUTHORITY }, want: '503' },
    { name: 'and is believed whatever it shows', tls: { isInsecure: true }, want: 'client unknown' },
    { name: 'and wants a certificate of us', tls: { ...TLS, ...CLIENT }, server: asking, want: 'client 127.0.0.1' },
    { name: 'and gets none', tls: TLS, server: asking, want: '502' },
  ]
  for (const { name, tls, server, want } of rows)
    it(`${name}: ${want}`, async () => assert.equal(await ask(tls, server), want))
})
