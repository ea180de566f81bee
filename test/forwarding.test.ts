import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, describe, it } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { type ClientOptions, openHttpClient, type TlsOptions } from '../src/http/client.ts'
import { errorPage } from '../src/http/error-page.ts'
import { type Serving, serve } from '../src/http/server.ts'
import { agentOverSocket } from '../src/metadata-proxy/agent-socket.ts'
import { OTHER_AUTHORITY, SERVER_CERTIFICATE, SERVER_KEY } from './support/certificates.ts'
import { eventually } from './support/eventually.ts'
import {
  connectTo,
  exchangeRaw,
  type Listening,
  listenHttp,
  listenRaw,
  recordingServer,
  standstill,
} from './support/raw-http.ts'

/** Our hop as a client of TLS; the server's certificate is its own authority, and good as a client's too. */
const TLS = { ca: SERVER_CERTIFICATE }
const CLIENT = { certificate: SERVER_CERTIFICATE, key: SERVER_KEY }

/** What a test opened, to be closed behind it. */
const open: (() => Promise<void>)[] = []
after(async () => {
  for (const close of open.toReversed()) await close()
})

/** A hop of ours in front of these servers. @returns its port */
async function hop(upstreams: readonly { readonly origin: string }[], options: ClientOptions = {}): Promise<number> {
  const client = openHttpClient(upstreams, options)
  const serving: Serving = await serve(
    agentOverSocket(client),
    { host: '127.0.0.1', port: 0 },
    { onError: (error, request) => errorPage(error, request) },
  )
  open.push(
    () => client.close(),
    () => serving.close(0),
  )
  return serving.port ?? 0
}

async function opened<L extends Listening>(listening: Promise<L>): Promise<L> {
  const it = await listening
  open.push(() => it.close())
  return it
}

const GET = 'GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
const BINARY = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1')
const NO_HOLD: ClientOptions = { limits: { hold: 0 } }

describe('an answer goes through as it is', () => {
  const rows: { name: string; request?: string; answer: string; want: RegExp | string }[] = [
    {
      name: 'binary',
      answer: `HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 256\r\n\r\n${BINARY}`,
      want: `\r\n\r\n${BINARY}`,
    },
    {
      name: 'said to be gzip, whatever it is',
      answer: 'HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\nDate: today\r\n\r\n\x1f\x8b\x08',
      want: '\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\nDate: today\r\nConnection: close\r\n\r\n\x1f\x8b\x08',
    },
    {
      name: 'the order, case and repetition of its fields',
      answer: 'HTTP/1.1 200 OK\r\nX-b: 1\r\nX-A: 2\r\nx-B: 3\r\nContent-Length: 0\r\nDate: today\r\n\r\n',
      want: /^HTTP\/1.1 200 OK\r\nX-b: 1\r\nX-A: 2\r\nx-B: 3\r\nContent-Length: 0\r\nDate: today\r\nConnection: close\r\n\r\n$/,
    },
    {
      name: 'without a length',
      answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n',
      want: /\r\nTransfer-Encoding: chunked\r\n\r\n(3\r\nabc\r\n4\r\ndefg|7\r\nabcdefg)\r\n0\r\n\r\n$/,
    },
    {
      name: 'ended by the connection',
      answer: 'HTTP/1.1 200 OK\r\n\r\nto the end',
      want: /a\r\nto the end\r\n0\r\n\r\n$/,
    },
    {
      name: 'to HEAD, with the length of what is not sent',
      request: GET.replace('GET', 'HEAD'),
      answer: 'HTTP/1.1 200 OK\r\nContent-Length: 1234567\r\n\r\n',
      want: /^HTTP\/1.1 200 OK\r\nContent-Length: 1234567\r\n[\s\S]*\r\n\r\n$/,
    },
    {
      name: 'to HEAD, without a length',
      request: GET.replace('GET', 'HEAD'),
      answer: 'HTTP/1.1 200 OK\r\nA: b\r\n\r\n',
      want: /^HTTP\/1.1 200 OK\r\nA: b\r\nDate: [^\r]*\r\nConnection: close\r\n\r\n$/,
    },
    {
      name: 'empty',
      answer: 'HTTP/1.1 204 No Content\r\n\r\n',
      want: /^HTTP\/1.1 204 No Content\r\nDate: [^\r]*\r\nConnection: close\r\n\r\n$/,
    },
    {
      name: 'not modified',
      answer: 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',
      want: /^HTTP\/1.1 304 [\s\S]*ETag: "a"/,
    },
    {
      name: 'a redirect, which nobody follows',
      answer: 'HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n',
      want: /^HTTP\/1.1 302 [\s\S]*Location: http:\/\/127.0.0.1:1\/\r\n/,
    },
    ...[201, 400, 401, 403, 404, 405, 409, 413, 429, 500, 501, 502, 503, 504].map((status) => ({
      name: `${status}`,
      answer: `HTTP/1.1 ${status} X\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbody`,
      want: new RegExp(`^HTTP/1.1 ${status} [^]*Retry-After: 7\\r\\n[^]*\\r\\n\\r\\nbody$`),
    })),
    {
      name: 'without what describes the other connection',
      answer:
        'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nX-End: 2\r\nContent-Length: 0\r\n\r\n',
      want: /^HTTP\/1.1 200 OK\r\nX-End: 2\r\nContent-Length: 0\r\nDate: [^\r]*\r\nConnection: close\r\n\r\n$/,
    },
  ]
  for (const { name, request = GET, answer, want } of rows)
    it(name, async () => {
      const upstream = await opened(recordingServer(answer))
      const got = await exchangeRaw(await hop([upstream], NO_HOLD), request)
      if (typeof want === 'string') assert.ok(got.endsWith(want), got)
      else assert.match(got, want)
    })

  it('to a client of HTTP/1.0, which knows no chunks', async () => {
    const upstream = await opened(
      recordingServer('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'),
    )
    assert.match(await exchangeRaw(await hop([upstream]), 'GET / HTTP/1.0\r\n\r\n'), /close\r\n\r\nabc$/)
  })
})

describe('a request goes through as it is', () => {
  const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
  const rows: { name: string; request: string; want: RegExp }[] = [
    {
      name: 'its target, undecoded',
      request: GET.replace('/a', '//a/../%2F%zz;x?b=%20&&c#d'),
      want: /^GET \/\/a\/\.\.\/%2F%zz;x\?b=%20&&c#d HTTP\/1.1\r\n/,
    },
    ...['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'].map((method) => ({
      name: method,
      request: GET.replace('GET', method),
      want: new RegExp(`^${method} /a HTTP/1.1\\r\\n`),
    })),
    {
      name: 'a body with its length',
      request: `POST /a HTTP/1.1\r\nConnection: close\r\nContent-Length: 256\r\n\r\n${BINARY}`,
      want: /\r\ncontent-length: 256\r\n\r\n\0[\s\S]{254}\xff$/i,
    },
    {
      name: 'an empty body with its length',
      request: 'POST /a HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
      want: /\r\ncontent-length: 0\r\n\r\n$/,
    },
    {
      name: 'a body in chunks, without a length',
      request: 'POST /a HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      want: /\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/,
    },
    {
      name: 'a POST that says nothing of a body, which is to say that it is empty',
      request: GET.replace('GET', 'POST'),
      want: /\r\ncontent-length: 0\r\n\r\n$/,
    },
  ]
  for (const { name, request, want } of rows)
    it(name, async () => {
      const upstream = await opened(recordingServer(OK))
      assert.match(await exchangeRaw(await hop([upstream]), request), /^HTTP\/1.1 200 OK/)
      assert.match(upstream.received(), want)
    })

  for (const target of ['*', 'openstack', 'http:'])
    it(`but not ${target}, which is no path`, async () => {
      const got = await exchangeRaw(await hop([{ origin: 'http://127.0.0.1:1' }]), GET.replace('/a', target))
      assert.match(got, /^HTTP\/1.1 400 /)
    })
})

describe('a large body', () => {
  const SIZE = 100 * 1024 * 1024
  const PIECE = Buffer.alloc(64 * 1024, 'x')

  it('of an answer waits for a slow reader, and comes whole', async () => {
    let written = 0
    const upstream = await opened(
      listenHttp((_, answer) => {
        answer.writeHead(200, { 'Content-Length': SIZE })
        const write = () => {
          while (written < SIZE) {
            written += PIECE.length
            if (!answer.write(PIECE)) return
          }
          answer.end()
        }
        answer.on('drain', write)
        write()
      }),
    )
    const reader = connectTo(await hop([upstream]))
    reader.write(GET)
    reader.pause()
    const stopped = await standstill(() => written)
    assert.ok(stopped < SIZE / 4, `${stopped} bytes were taken that nobody read`)
    let read = 0
    reader.on('data', ({ length }) => {
      read += length
    })
    reader.resume()
    await eventually('all of it has come', () => read >= SIZE)
    reader.destroy()
  })

  it('of a request waits for a slow upstream, and comes whole', async () => {
    let read = 0
    let isReading = false
    let letRead = () => undefined as unknown
    const upstream = await opened(
      listenHttp((request, answer) => {
        letRead = () => request.on('data', ({ length }) => (read += length)).once('end', () => answer.end('done'))
        isReading = true
      }),
    )
    const writer = connectTo(await hop([upstream]))
    let got = ''
    let written = 0
    writer.setEncoding('latin1').on('data', (text) => (got += text))
    writer.write(`POST /a HTTP/1.1\r\nContent-Length: ${SIZE}\r\n\r\n`)
    const write = () => {
      while (written < SIZE) {
        written += PIECE.length
        if (!writer.write(PIECE)) return
      }
    }
    writer.on('drain', write)
    write()
    const stopped = await standstill(() => written)
    assert.ok(isReading && stopped < SIZE / 4, `${stopped} bytes were taken that nobody read`)
    letRead()
    await eventually('it is answered', () => got.endsWith('done'))
    assert.equal(read, SIZE)
    writer.destroy()
  })

  it('is no hindrance to an answer that does not wait for it', async () => {
    const upstream = await opened(listenHttp((_, answer) => answer.writeHead(403).end('no')))
    const port = await hop([upstream])
    const writer = connectTo(port)
    let got = ''
    writer.setEncoding('latin1').on('data', (text) => (got += text))
    writer.write(`POST /a HTTP/1.1\r\nContent-Length: ${PIECE.length * 32}\r\n\r\n`)
    writer.write(PIECE)
    await eventually('the answer is there', () => got.includes('no'))
    for (let i = 1; i < 32; i += 1) writer.write(PIECE)
    writer.write(GET)
    await eventually('and the connection still of use', () => got.split('HTTP/1.1 403').length === 3)
    writer.destroy()
  })

  it('that breaks off breaks off there', async () => {
    const { promise: cut, resolve } = Promise.withResolvers<void>()
    const upstream = await opened(listenHttp((request) => request.resume().on('error', () => resolve())))
    const writer = connectTo(await hop([upstream]))
    writer.write('POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
    setTimeout(() => writer.destroy(), 100)
    await cut
  })
})

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
    assert.equal(taken, 4)
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
    open.push(async () => void upstream.close())
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
