import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { BodyTooLarge } from './errors.ts'
import type { Handler, HttpReply } from './messages.ts'
import { type Serving, serve } from './server.ts'

const text = (status: number, body: string): HttpReply => ({
  status,
  headers: [['Content-Type', 'text/plain']],
  body: Buffer.from(body),
})

const echo: Handler = async (request) => {
  if (request.target === '/throw') throw new Error('boom')
  if (request.target === '/half') await pause(50)
  const body = Buffer.from(await request.body(16)).toString()
  return text(200, `${request.method} ${request.target} ${request.remoteAddress} ${body}`)
}

/** Sends raw bytes, closes our half when told to, and gives everything that came back once the peer closed. */
function exchange(port: number, bytes: string, { half = false } = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const socket = connect(port, '127.0.0.1')
  let got = ''
  socket.on('data', (chunk) => (got += chunk))
  socket.on('error', reject)
  socket.on('close', () => resolve(got))
  if (half) socket.end(bytes)
  else socket.write(bytes)
  return promise
}

describe('the HTTP server', async () => {
  const serving: Serving = await serve(
    echo,
    { host: '127.0.0.1', port: 0 },
    {
      onError: (error) => (error instanceof BodyTooLarge ? text(413, 'too large') : text(500, 'error')),
    },
  )
  const { port = 0 } = serving
  after(() => serving.close())

  it('answers with exact length, in the order eventlet writes', async () => {
    const got = await exchange(port, 'GET /a?b=%2F HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    assert.match(
      got,
      /^HTTP\/1\.1 200 OK\r\nContent-Length: 23\r\nContent-Type: text\/plain\r\nDate: .* GMT\r\nConnection: close\r\n\r\nGET \/a\?b=%2F 127\.0\.0\.1 $/,
    )
  })

  it('needs no Host and speaks HTTP/1.0', async () => {
    assert.match(await exchange(port, 'GET /x HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\n/)
  })

  it('keeps a connection for pipelined requests, in order', async () => {
    const got = await exchange(port, 'GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nConnection: close\r\n\r\n')
    assert.match(got, /GET \/1 [\s\S]*GET \/2 /)
    assert.doesNotMatch(got, /keep-alive/i)
  })

  it('gives HEAD the length of the body it does not send', async () => {
    const got = await exchange(port, 'HEAD /a HTTP/1.1\r\nConnection: close\r\n\r\n')
    assert.match(got, /Content-Length: 18\r\n/)
    assert.ok(got.endsWith('\r\n\r\n'))
  })

  it('answers a client that has closed its half, when it has the answer', async () => {
    assert.match(await exchange(port, 'GET /half HTTP/1.1\r\n\r\n', { half: true }), /200 OK[\s\S]*GET \/half/)
  })

  it('takes a body on a GET', async () => {
    const got = await exchange(port, 'GET /b HTTP/1.1\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc')
    assert.match(got, /GET \/b 127\.0\.0\.1 abc$/)
  })

  it('refuses a body over the handler’s limit', async () => {
    const got = await exchange(
      port,
      `POST /b HTTP/1.1\r\nContent-Length: 17\r\nConnection: close\r\n\r\n${'x'.repeat(17)}`,
    )
    assert.match(got, /^HTTP\/1\.1 413 /)
  })

  it('turns a handler’s failure into an answer', async () => {
    assert.match(
      await exchange(port, 'GET /throw HTTP/1.1\r\nConnection: close\r\n\r\n'),
      /^HTTP\/1\.1 500 [\s\S]*error$/,
    )
  })

  const malformed: [name: string, bytes: string][] = [
    ['a head over 16 KiB', `GET / HTTP/1.1\r\nX: ${'y'.repeat(17_000)}\r\n\r\n`],
    ['a target over 16 KiB', `GET /${'y'.repeat(17_000)} HTTP/1.1\r\n\r\n`],
    ['noise', 'not http at all\r\n\r\n'],
    ['an invented method', 'FOO / HTTP/1.1\r\n\r\n'],
    ['two lengths that differ', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'length and chunked together',
      'POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a folded header', 'GET / HTTP/1.1\r\nA: b\r\n c: d\r\n : e\r\n\r\n'],
  ]
  for (const [name, bytes] of malformed)
    it(`answers ${name} with 400 and closes`, async () => {
      assert.match(await exchange(port, bytes), /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*Connection: close/)
    })
})

describe('a server that is closed', () => {
  it('lets a running request finish and takes no other', async () => {
    const { promise: release, resolve } = Promise.withResolvers<void>()
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
    const slow: Handler = async () => {
      arrive()
      await release
      return text(200, 'late')
    }
    const serving = await serve(slow, { host: '127.0.0.1', port: 0 }, { onError: () => text(500, '') })
    const running = exchange(serving.port ?? 0, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')
    await arrived
    const closed = serving.close()
    await assert.rejects(exchange(serving.port ?? 0, 'GET / HTTP/1.1\r\n\r\n'), { code: 'ECONNREFUSED' })
    resolve()
    assert.match(await running, /late$/)
    await closed
  })

  it('cuts what does not finish in time', async () => {
    const serving = await serve(
      () => new Promise(() => undefined),
      { host: '127.0.0.1', port: 0 },
      { onError: () => text(500, '') },
    )
    const cut = exchange(serving.port ?? 0, 'GET / HTTP/1.1\r\n\r\n').catch((error: Error) => error.message)
    await serving.close(50)
    assert.doesNotMatch(await cut, /HTTP/)
  })
})

it('a client that dribbles its head is cut, and others are answered meanwhile', async () => {
  const limits = { headMilliseconds: 100, lookMilliseconds: 50 }
  const serving = await serve(echo, { host: '127.0.0.1', port: 0 }, { onError: () => text(500, ''), limits })
  const { port = 0 } = serving
  const dribbling = exchange(port, 'GET / HTTP/1.1\r\nX: ')
  assert.match(await exchange(port, 'GET /other HTTP/1.1\r\nConnection: close\r\n\r\n'), /200 OK/)
  assert.match(await dribbling, /^HTTP\/1\.1 408 Request Timeout\r\n/)
  await serving.close()
})
