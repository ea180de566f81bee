import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProtocolError } from './errors.ts'
import { createJsonStream, type JsonLimits } from './json-stream.ts'

const LIMITS: JsonLimits = { maxDepth: 100, maxBytes: 1 << 20 }

/** Reads the bytes in chunks of the given lengths, the last one again and again. */
function readAll(bytes: Uint8Array, lengths: readonly number[] = [bytes.length], limits = LIMITS): object[] {
  const messages: object[] = []
  const stream = createJsonStream((message) => messages.push(message), limits)
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const length = Math.max(1, lengths[Math.min(i, lengths.length - 1)] ?? 1)
    stream.push(bytes.subarray(at, at + length))
    at += length
  }
  return messages
}

describe('a stream of JSON objects', () => {
  const good: { name: string; text: string; want: object[] }[] = [
    { name: 'nothing', text: '', want: [] },
    { name: 'one', text: '{}', want: [{}] },
    { name: 'two with nothing between', text: '{"a":1}{"b":[]}', want: [{ a: 1 }, { b: [] }] },
    { name: 'blanks around', text: ' \n{ "a" :\t[ 1 , 2 ] }\r\n {} ', want: [{ a: [1, 2] }, {}] },
    { name: 'the words', text: '{"a":[true,false,null]}', want: [{ a: [true, false, null] }] },
    { name: 'numbers', text: '{"a":[0,-1,1.5e3,2E-2,12345678901]}', want: [{ a: [0, -1, 1500, 0.02, 12345678901] }] },
    { name: 'escapes', text: '{"a\\"":"\\\\\\n\\u20ac\\ud83d\\ude00}{"}', want: [{ 'a"': '\\\n€😀}{' }] },
    { name: 'UTF-8', text: '{"ключ":"€😀 naïve"}', want: [{ ключ: '€😀 naïve' }] },
    { name: 'the last of two equal keys', text: '{"a":1,"a":2}', want: [{ a: 2 }] },
    { name: 'an unfinished one behind', text: '{"a":1}{"b":"', want: [{ a: 1 }] },
  ]
  for (const { name, text, want } of good)
    it(`has ${name}, however it is cut`, () => {
      const bytes = Buffer.from(text)
      for (const length of [1, 2, 3, 7, bytes.length]) assert.deepEqual(readAll(bytes, [length]), want)
    })

  it('keeps a key named __proto__ as a key', () => {
    const [message = {}] = readAll(Buffer.from('{"__proto__":{"polluted":1}}'))
    assert.deepEqual(Object.keys(message), ['__proto__'])
    assert.equal(Object.getPrototypeOf(message), Object.prototype)
  })

  const bad = [
    '[]', '1', '"a"', 'null', '}', '{]', '{"a"}', '{"a":}', '{"a":1,}', '{,}', '{"a":[1,]}', '{"a":[,1]}', '{"a":1 2}',
    '{a:1}', "{'a':1}", '{"a":nul}', '{"a":nulll}', '{"a":01}', '{"a":1.}', '{"a":-}', '{"a":+1}', '{"a":.5}',
    '{"a":1e}', '{"a":"\\x"}', '{"a":"\\u12g4"}', '{"a":"\n"}', '{"a":"\t"}', '{"a":1}}', '{"a":[}', '{"a":{]',
    '{"a"::1}', '{"a":1:2}', '{"a":{"b":1]}', '{"a":[1}', `{"a":${'9'.repeat(1000)}}`,
  ] // biome-ignore format: a list of texts
  for (const text of bad)
    it(`refuses ${text.slice(0, 30)}`, () => {
      for (const length of [1, 2, text.length]) assert.throws(() => readAll(Buffer.from(text), [length]), ProtocolError)
    })

  it('refuses what is nested too deep, and takes what is just not', () => {
    const nested = (depth: number) => Buffer.from(`{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`)
    assert.equal(readAll(nested(LIMITS.maxDepth)).length, 1)
    assert.throws(() => readAll(nested(LIMITS.maxDepth + 1)), /nested more than 100 deep/)
  })

  it('refuses what is too long before it has all of it, and counts each message for itself', () => {
    const limits = { maxDepth: 10, maxBytes: 100 }
    const message = JSON.stringify({ a: 'x'.repeat(80) })
    assert.equal(readAll(Buffer.from(message.repeat(50)), [7], limits).length, 50)
    for (const endless of [`{"a":"${'x'.repeat(500)}`, `{"a":[${'1,'.repeat(500)}`, `{${' '.repeat(500)}`])
      assert.throws(() => readAll(Buffer.from(endless), [7], limits), /longer than 100 bytes/)
  })

  it('takes a long message byte by byte in time that grows no faster than its length', () => {
    const bytes = Buffer.from(
      JSON.stringify({ a: `${'x\\"€'.repeat(20_000)}`, b: Array(20_000).fill({ c: [1, 'd'] }) }),
    )
    const begin = performance.now()
    assert.equal(readAll(bytes, [1]).length, 1)
    assert.ok(performance.now() - begin < 10_000)
  })

  it('goes on with nothing once what takes the messages has thrown', () => {
    const stream = createJsonStream(() => {
      throw new RangeError('enough')
    })
    assert.throws(() => stream.push(Buffer.from('{}{}')), /enough/)
  })
})

describe('a stream of broken JSON', () => {
  const seeds = [
    '{"method":"update3","params":[["db",1],"txn",{"Port":{"u":{"modify":{"n":["map",[["k","v\\u00e9"]]],"x":-1.5e2}}}}]}',
    '{"id":1,"result":[true,"t",{}],"error":null}',
    '{"a":"€😀","b":[true,false,null,0,12,"\\"\\\\\\/"],"c":{}}',
  ]

  it('is taken as an object exactly where JSON.parse takes it as one, and never takes long', () => {
    const random = mulberry32(20_260_727)
    let taken = 0
    for (let round = 0; round < 6_000; round += 1) {
      const bytes = mutate(Buffer.from(seeds[round % seeds.length] ?? ''), random)
      const lengths = Array.from({ length: 8 }, () => 1 + Math.floor(random() * 20))
      const want = parseObject(bytes.toString())
      assert.deepEqual(readOne(bytes, lengths), want, bytes.toString())
      if (want !== undefined) taken += 1
    }
    assert.ok(taken > 500 && taken < 5_500, `${taken} of 6000 were taken`)
  })

  /** The only object of the bytes, if there is nothing else and it is finished: another one behind it is then the second. */
  function readOne(bytes: Buffer, lengths: readonly number[]): object | undefined {
    try {
      const messages = readAll(Buffer.concat([bytes, Buffer.from('{}')]), lengths)
      return messages.length === 2 ? messages[0] : undefined
    } catch (error) {
      assert.ok(error instanceof ProtocolError)
      return undefined
    }
  }

  function parseObject(text: string): object | undefined {
    try {
      const value: unknown = JSON.parse(text)
      return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
    } catch {
      return undefined
    }
  }
})

/** Cuts, doubles, overwrites and swaps bytes, with a liking for those that mean something. */
function mutate(seed: Buffer, random: () => number): Buffer {
  const bytes = [...seed]
  const meaningful = Buffer.from('{}[]":,\\ \n0-e.tu\x00\xc3\xff', 'latin1')
  for (let count = 1 + Math.floor(random() * 3); count > 0; count -= 1) {
    const at = Math.floor(random() * bytes.length)
    const byte =
      random() < 0.7 ? (meaningful[Math.floor(random() * meaningful.length)] as number) : Math.floor(random() * 256)
    const kind = Math.floor(random() * 4)
    if (kind === 0) bytes[at] = byte
    else if (kind === 1) bytes.splice(at, 0, byte)
    else if (kind === 2) bytes.splice(at, 1 + Math.floor(random() * 4))
    else bytes.length = at
  }
  return Buffer.from(bytes)
}

/** A small generator of numbers that are the same every time. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
