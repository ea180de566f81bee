import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { eventually } from './support/eventually.ts'
import { GUESTS, type HostileChain, NETWORK, openHostileChain } from './support/hostile-chain.ts'
import { connectTo, exchangeRaw, type Peer } from './support/raw-http.ts'

const { own } = GUESTS

/** What one request more or less, or another one, could be made of. `wants` are the answers in their order, as far as
 *  they come; the metadata API is told of each 200 and of nothing else. */
interface Row {
  readonly name: string
  /** Behind the request line and the proxy's own fields. */
  readonly rest: string
  readonly line?: string
  readonly wants: readonly number[]
  /** What the metadata API reads as body. */
  readonly body?: string
}

const CHUNKED = 'Transfer-Encoding: chunked\r\n'
/** A request that must not come to be. */
const INNER = 'GET /inner HTTP/1.1\r\nX-Instance-ID: x\r\n\r\n'

const ROWS: readonly Row[] = [
  { name: 'a length and chunks', rest: `Content-Length: 6\r\n${CHUNKED}\r\n0\r\n\r\n${INNER}`, wants: [400] },
  { name: 'chunks and a length', rest: `${CHUNKED}Content-Length: 6\r\n\r\n0\r\n\r\n${INNER}`, wants: [400] },
  { name: 'two lengths', rest: `Content-Length: 3\r\nContent-Length: 0\r\n\r\nabc`, wants: [400] },
  { name: 'the same length twice', rest: `Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`, wants: [400] },
  ...['+3', '-3', '0x3', '3,3', '3 3', '3.0', '', '99999999999999999999999'].map((length) => ({
    name: `a length of ${JSON.stringify(length)}`,
    rest: `Content-Length: ${length}\r\n\r\nabc`,
    wants: [400],
  })),
  ...['xchunked', 'chunked, identity', 'gzip', 'chunked\r\nTransfer-Encoding: identity', '"chunked"'].map((coding) => ({
    name: `a transfer coding ${JSON.stringify(coding)}`,
    rest: `Transfer-Encoding: ${coding}\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    wants: [400],
  })),
  {
    name: 'a coding with a blank before its colon',
    rest: `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${INNER}`,
    wants: [400],
  },
  { name: 'a chunk of no number', rest: `${CHUNKED}\r\nxyz\r\nabc\r\n0\r\n\r\n`, wants: [400] },
  { name: 'a chunk larger than any', rest: `${CHUNKED}\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n`, wants: [400] },
  { name: 'a chunk that is longer than it says', rest: `${CHUNKED}\r\n3\r\nabcdef\r\n0\r\n\r\n`, wants: [400] },
  { name: 'a chunk’s extension', rest: `${CHUNKED}\r\n3;a=b\r\nabc\r\n0\r\n\r\n`, wants: [200], body: 'abc' },
  { name: 'a chunk’s extension with a line feed', rest: `${CHUNKED}\r\n3;a=b\nabc\r\n0\r\n\r\n${INNER}`, wants: [400] },
  {
    name: 'chunk extensions without end',
    rest: `${CHUNKED}\r\n3;${'a'.repeat(20_000)}\r\nabc\r\n0\r\n\r\n`,
    wants: [400],
  },
  { name: 'bare line feeds', line: 'GET /x HTTP/1.1\nX: y\n\n', rest: '\r\n', wants: [400] },
  { name: 'a bare line feed at the end of the head', rest: `A: b\n\n${INNER}`, wants: [400] },
  { name: 'a bare carriage return in a field', rest: 'A: b\rC: d\r\n\r\n', wants: [400] },
  { name: 'a zero in a field', rest: 'A: b\0c\r\n\r\n', wants: [400] },
  { name: 'a field without a colon', rest: 'Abc\r\n\r\n', wants: [400] },
  { name: 'a field without a name', rest: ': b\r\n\r\n', wants: [400] },
  { name: 'blanks in a target', line: 'GET /x HTTP/1.1 HTTP/1.1\r\n', rest: '\r\n', wants: [400] },
  { name: 'another version', line: 'GET /x HTTP/3.7\r\n', rest: '\r\n', wants: [400] },
  { name: 'no version', line: 'GET /x\r\n', rest: '\r\n', wants: [400] },
  { name: 'HTTP/2', line: 'PRI * HTTP/2.0\r\n', rest: '\r\nSM\r\n\r\n', wants: [400] },
  { name: 'TLS', line: '\x16\x03\x01\x02\x00\x01\x00', rest: '\r\n\r\n', wants: [400] },
  { name: 'CONNECT', line: 'CONNECT 127.0.0.1:22 HTTP/1.1\r\n', rest: '\r\n', wants: [405] },
  { name: 'a target that is no path', line: 'GET x HTTP/1.1\r\n', rest: '\r\n', wants: [400] },
  { name: 'an upgrade', rest: 'Connection: upgrade\r\nUpgrade: websocket\r\n\r\n', wants: [200] },
  { name: 'a head of 20 kB', rest: `A: ${'b'.repeat(20_000)}\r\n\r\n`, wants: [400] },
  { name: '5000 fields', rest: `${'a:\r\n'.repeat(5000)}\r\n`, wants: [400] },
  { name: '200 fields', rest: `${'a:\r\n'.repeat(200)}\r\n`, wants: [200] },
  { name: 'an expectation', rest: 'Expect: the impossible\r\n\r\n', wants: [417] },
  { name: 'two requests at once', rest: `\r\nGET /two HTTP/1.1\r\n@\r\n\r\n`, wants: [200, 200] },
  { name: 'a request and noise', rest: '\r\n\0\0\0', wants: [200] },
]

describe('what no client sends', () => {
  let chain: HostileChain
  before(async () => {
    chain = await openHostileChain()
  })
  after(() => chain?.close())

  const WAYS: Readonly<Record<string, { peer: () => Peer; stamp: string }>> = {
    'our proxy': { peer: () => chain.proxyPort, stamp: '' },
    'the agent': {
      peer: () => chain.agentSocket,
      stamp: `X-Neutron-Network-ID: ${NETWORK}\r\nX-Forwarded-For: ${own.address}\r\n`,
    },
  }
  for (const [way, { peer, stamp }] of Object.entries(WAYS)) {
    for (const { name, line = 'POST /x HTTP/1.1\r\n', rest, wants, body } of ROWS)
      it(`${name}, sent to ${way}, comes to ${wants.join(' and ')}`, async () => {
        chain.told.length = 0
        const answers = await statuses(
          peer(),
          line + stamp + rest.replace('@', stamp.trimEnd() || 'A: b'),
          wants.length,
        )
        assert.deepEqual(answers, wants)
        assert.equal(chain.told.length, wants.filter((status) => status === 200).length)
        assert.ok(chain.told.every(({ target }) => !target.includes('inner')))
        if (body !== undefined) assert.equal(chain.told[0]?.body, body)
      })

    it(`a request that comes byte by byte is answered by ${way}`, async () => {
      const socket = connectTo(peer(), typeof peer() === 'number' ? own.address : undefined)
      let got = ''
      socket
        .setNoDelay?.(true)
        .setEncoding('latin1')
        .on('data', (text) => (got += text))
      for (const byte of `POST /slow HTTP/1.1\r\n${stamp}Content-Length: 3\r\n\r\nabc`) {
        socket.write(byte)
        await new Promise(setImmediate)
      }
      await eventually('the answer is there', () => got.startsWith('HTTP/1.1 200'))
      socket.destroy()
    })

    it(`a flood of requests on one connection starts only so many at ${way}`, async () => {
      chain.told.length = 0
      const flood = `GET /flood HTTP/1.1\r\n${stamp}\r\n`.repeat(2000)
      await exchangeRaw(peer(), flood, { from: own.address })
      assert.ok(chain.told.length <= 100, `the metadata API was asked ${chain.told.length} times`)
      assert.deepEqual(await statuses(peer(), `GET /x HTTP/1.1\r\n${stamp}\r\n`, 1), [200])
    })
  }
})

describe('a client that takes its time', () => {
  let chain: HostileChain
  before(async () => {
    chain = await openHostileChain({
      headMilliseconds: 200,
      requestMilliseconds: 400,
      idleMilliseconds: 600,
      lookMilliseconds: 50,
    })
  })
  after(() => chain?.close())

  const rows = [
    { name: 'with its head', sent: 'POST /x HTTP/1.1\r\nA: ', want: /^HTTP\/1.1 408 / },
    { name: 'with its body', sent: 'POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc', want: /^HTTP\/1.1 408 / },
    { name: 'with its chunks', sent: `POST /x HTTP/1.1\r\n${CHUNKED}\r\n3\r\nabc`, want: /^HTTP\/1.1 408 / },
    { name: 'with everything', sent: '', want: /^(HTTP\/1.1 408 [\s\S]*)?$/ },
  ]
  for (const { name, sent, want } of rows)
    it(`${name} is sent away`, async () =>
      assert.match(await exchangeRaw(chain.proxyPort, sent, { from: own.address }), want))
})

/** The statuses that came back, when there are as many as wanted or the connection has ended; as our own guest. */
async function statuses(peer: Peer, bytes: string, wanted: number): Promise<readonly number[]> {
  const { promise, resolve } = Promise.withResolvers<readonly number[]>()
  const socket = connectTo(peer, typeof peer === 'number' ? own.address : undefined)
  let got = ''
  const seen = () => Array.from(got.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status))
  const look = () => {
    if (seen().length >= wanted && got.endsWith('\n') === got.endsWith('\r\n')) setTimeout(() => socket.destroy(), 20)
  }
  socket.setEncoding('latin1').on('data', (text) => {
    got += text
    look()
  })
  socket.on('error', () => undefined).once('close', () => resolve(seen()))
  socket.write(Buffer.from(bytes, 'latin1'))
  return promise
}
