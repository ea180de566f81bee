import assert from 'node:assert/strict'
import { Duplex } from 'node:stream'
import { beforeEach, describe, it } from 'node:test'
import { type TurnedClock, turnedClock } from '../../test/ovsdb/turned-clock.ts'
import { Disconnected, NotConnected, ProtocolError, RequestRefused } from './errors.ts'
import { createJsonStream, DEFAULT_LIMITS } from './json-stream.ts'
import { openRpc, type Rpc } from './rpc.ts'

let clock: TurnedClock
let rpc: Rpc
let stream: Duplex
let sent: object[]
let notified: string[]

beforeEach(() => {
  clock = turnedClock()
  sent = []
  notified = []
  const json = createJsonStream((message) => sent.push(message))
  stream = new Duplex({
    read() {},
    write(chunk, _, done) {
      json.push(chunk)
      done()
    },
  })
  const onNotification = (method: string, params: readonly unknown[]) => {
    if (method === 'bad') throw new ProtocolError('a bad notification')
    notified.push(`${method} ${JSON.stringify(params)}`)
  }
  rpc = openRpc(stream, { clock, probeMilliseconds: 5_000, limits: DEFAULT_LIMITS, onNotification })
})

async function hear(...messages: readonly unknown[]): Promise<void> {
  stream.push(messages.map((message) => (typeof message === 'string' ? message : JSON.stringify(message))).join(''))
  await clock.turn(0)
}

describe('a connection', () => {
  it('answers an echo at once with what it was given', async () => {
    await hear({ method: 'echo', params: ['a', ['map', [['k', 1]]]], id: 'e1' })
    assert.deepEqual(sent, [{ result: ['a', ['map', [['k', 1]]]], error: null, id: 'e1' }])
  })

  it('asks for an echo after silence, and ends after as much silence again', async () => {
    await clock.turn(4_999)
    assert.deepEqual(sent, [])
    await clock.turn(1)
    assert.deepEqual(sent, [{ method: 'echo', params: [], id: 'echo' }])
    await hear({ id: 'echo', result: [], error: null })
    await clock.turn(9_999)
    assert.equal(sent.length, 2)
    await clock.turn(1)
    assert.match((await rpc.ended).message, /No answer to a probe/)
  })

  it('takes any byte for a sign of life', async () => {
    await hear('{"method":')
    for (let i = 0; i < 10; i += 1) {
      await clock.turn(4_000)
      await hear(' ')
    }
    assert.deepEqual(sent, [])
  })

  it('takes what follows a reply after the reply', async () => {
    const order: unknown[] = []
    const call = rpc.call('monitor', [], (result) => order.push(result, notified.length))
    await hear({ id: 0, result: 'initial', error: null }, { method: 'update', params: [1], id: null })
    await call
    assert.deepEqual([order, notified], [['initial', 0], ['update [1]']])
  })

  const errors = [
    { error: 'unknown method', code: 'unknown method' },
    { error: { error: 'unknown database', details: 'no such' }, code: 'unknown database' },
    { error: 7, code: '7' },
  ]
  for (const { error, code } of errors)
    it(`gives ${JSON.stringify(error)} to who asked, and goes on`, async () => {
      const call = rpc.call('get_schema', [], String)
      const refused = assert.rejects(call, (it) => it instanceof RequestRefused && it.code === code)
      await hear({ id: 0, error })
      await refused
      const next = rpc.call('get_schema', [], String)
      await hear({ id: 1, result: 'fine', error: null })
      assert.equal(await next, 'fine')
    })

  it('lets no call hang when it ends, and takes none later', async () => {
    const lost = assert.rejects(rpc.call('transact', [], String), Disconnected)
    stream.push(null)
    await lost
    await assert.rejects(rpc.call('transact', [], String), NotConnected)
    assert.match((await rpc.ended).message, /The server closed/)
  })

  const hostile: { name: string; message: unknown }[] = [
    { name: 'what is no JSON', message: 'HTTP/1.1 400 Bad Request' },
    { name: 'a request without parameters', message: { method: 'update3', id: null } },
    { name: 'parameters that are no array', message: { method: 'echo', params: {}, id: 1 } },
    { name: 'a notification that makes no sense', message: { method: 'bad', params: [], id: null } },
  ]
  for (const { name, message } of hostile)
    it(`ends at ${name}`, async () => {
      await hear(message, { method: 'later', params: [], id: null })
      assert.ok((await rpc.ended) instanceof ProtocolError)
      assert.deepEqual(notified, [])
    })

  const harmless: unknown[] = [
    {},
    { id: 99, result: 1, error: null },
    { id: null, result: 1 },
    { method: 'strange', params: [], id: null },
  ]
  for (const message of harmless)
    it(`goes on after ${JSON.stringify(message)}`, async () => {
      await hear(message)
      const call = rpc.call('x', [], String)
      await hear({ id: 0, result: 'fine', error: null })
      assert.equal(await call, 'fine')
    })

  it('says no to requests that are none of ours', async () => {
    await hear({ method: 'steal_all', params: [], id: 4 })
    assert.deepEqual(sent, [{ result: null, error: 'unknown method', id: 4 }])
  })

  it('ends with a server that floods it with echo requests and reads nothing', async () => {
    stream._write = () => {} // never done
    const flood = JSON.stringify({ method: 'echo', params: ['x'.repeat(1 << 20)], id: 1 })
    for (let i = 0; i < 80; i += 1) await hear(flood)
    assert.match((await rpc.ended).message, /takes nothing/)
  })
})
