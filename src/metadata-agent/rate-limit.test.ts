import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { IpAddress } from '../inventory/records/address.ts'
import type { NetworkId, PortId } from '../inventory/records/ids.ts'
import { TooManyRequests } from './errors.ts'
import { rateLimit, type Window } from './rate-limit.ts'
import type { Origin } from './resolve.ts'

const origin = (address = '10.0.0.11', network = 'n1'): Origin => ({
  within: { networkId: network as NetworkId },
  address: address as IpAddress,
})

/** A limit under a clock of the test's. */
function limited(windows: readonly Window[], ipVersions: readonly (4 | 6)[] = [4, 6]) {
  let time = 1e9
  const limit = rateLimit({ windows, ipVersions, now: () => time })
  /** @param port  found behind it; undefined: none is */
  const ask = async (from = origin(), port?: string) => {
    const counted = await limit(from)
    if (port !== undefined) await counted(port as PortId)
  }
  return {
    pass: (seconds: number) => {
      time += seconds * 1000
    },
    /** How many of so many requests at once are let through at once; the rest may be told to wait. */
    atOnce: async (count: number, from = origin(), port?: string) => {
      const outcomes = Array.from({ length: count }, () => outcome(ask(from, port)))
      return (await Promise.all(outcomes)).filter((each) => each === 'at once').length
    },
    ask,
  }
}

async function outcome(asked: Promise<unknown>): Promise<'at once' | 'later' | 'refused'> {
  const later = new Promise<'later'>((resolve) => setImmediate(() => setImmediate(resolve, 'later')))
  return Promise.race([
    asked.then(
      () => 'at once' as const,
      () => 'refused' as const,
    ),
    later,
  ])
}

/** The field's default, which breaks a boot there. */
const FIELD: readonly Window[] = [
  { requests: 10, seconds: 10 },
  { requests: 10, seconds: 10 },
]

describe('the limit on what a guest asks', () => {
  it('lets a real first boot through, however low it is set', async () => {
    assert.ok((await limited(FIELD).atOnce(40)) === 40)
    assert.ok((await limited([{ requests: 1, seconds: 86_400 }]).atOnce(40)) === 40)
  })

  it('refuses a flood, and says when to come back', async () => {
    const { atOnce, ask } = limited(FIELD)
    assert.equal(await atOnce(1000), 60)
    const refused = await ask().catch((error: unknown) => error)
    assert.ok(refused instanceof TooManyRequests)
    assert.equal(refused.status, 429)
    assert.match(refused.headers.join(), /^Retry-After,[1-9]\d*$/)
  })

  it('makes who is a little early wait, before it refuses', async () => {
    // So early that no machine is slow enough to let the wait pass unseen.
    const { atOnce, ask } = limited([{ requests: 60, seconds: 60 }])
    await atOnce(60)
    const early = ask()
    assert.equal(await outcome(early), 'later')
    await early
  })

  it('gives back as much as the longer window allows', async () => {
    const { atOnce, pass } = limited([
      { requests: 100, seconds: 100 },
      { requests: 70, seconds: 1 },
    ])
    assert.equal(await atOnce(70), 70, 'the burst')
    pass(10)
    assert.equal(await atOnce(90), 40, 'what is left of the longer window, and what has come since')
  })

  for (const port of ['a', undefined])
    it(`is ${port === undefined ? 'an unknown address' : 'each port'}’s own: nobody else shares it`, async () => {
      const { atOnce } = limited(FIELD)
      await atOnce(100, origin(), port)
      assert.equal(await atOnce(30, origin('10.0.0.12'), port && 'b'), 30)
      assert.equal(await atOnce(30, origin('10.0.0.11', 'n2'), port && 'c'), 30)
      assert.equal(await atOnce(30, origin('2001:db8::1'), port && 'd'), 30)
    })

  it('is one for all addresses of a port', async () => {
    const { atOnce } = limited(FIELD)
    const addresses = ['10.0.0.11', '2001:db8::11', 'fe80::f816:3eff:febe:3d62', 'fe80::1234']
    const through = []
    for (const address of addresses) through.push(await atOnce(20, origin(address), 'a'))
    assert.deepEqual(through, [20, 20, 20, 0])
  })

  it('follows an address to the port that has it now', async () => {
    const { atOnce } = limited(FIELD)
    assert.equal(await atOnce(50, origin(), 'a'), 50)
    // Whose it is comes out only after it was let through on the first one's account.
    assert.equal(await atOnce(1, origin(), 'b'), 1)
    assert.equal(await atOnce(59, origin(), 'b'), 59)
    assert.equal(await atOnce(9, origin('10.0.0.12'), 'a'), 9)
  })

  it('does not make an address suffer for the port that had it before', async () => {
    const { atOnce, pass } = limited(FIELD)
    assert.equal(await atOnce(60, origin(), 'a'), 60)
    pass(1)
    await atOnce(60, origin('10.0.0.12'), 'a')
    assert.equal(await atOnce(1, origin(), 'b'), 1)
    assert.equal(await atOnce(59, origin(), 'b'), 59)
  })

  it('holds before anybody looks for the port, once one was found', async () => {
    const { atOnce } = limited(FIELD)
    await atOnce(60, origin(), 'a')
    assert.equal(await atOnce(60, origin()), 1, 'one is looked up all the same')
    assert.equal(await atOnce(60, origin(), 'a'), 0)
  })

  it('is only for the versions of IP it is for', async () => {
    const { atOnce } = limited(FIELD, [6])
    assert.equal(await atOnce(200, origin('10.0.0.11')), 200)
    assert.equal(await atOnce(200, origin('fe80::1')), 60)
    assert.equal(await atOnce(200, origin('10.0.0.12'), 'a'), 200)
    assert.equal(await atOnce(200, origin('fe80::2'), 'a'), 60, 'what is not limited does not count')
  })

  it('remembers only so many', async () => {
    const { atOnce, ask } = limited(FIELD)
    await atOnce(60)
    for (let i = 0; i < 10_000; i += 1) await ask(origin(`10.1.${i >> 8}.${i & 255}`))
    assert.equal(await atOnce(30), 30)
  })
})
