import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { eventually } from './support/eventually.ts'
import { closeAll, GET, hop, NO_HOLD, opened } from './support/hop.ts'
import { connectTo, exchangeRaw, listenHttp, recordingServer, standstill } from './support/raw-http.ts'

after(closeAll)

const BINARY = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('latin1')

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
    const upstream = await opened(
      listenHttp((request) => request.on('error', () => resolve()).once('data', () => writer.destroy())),
    )
    const writer = connectTo(await hop([upstream]))
    writer.write('POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
    await cut
  })
})
