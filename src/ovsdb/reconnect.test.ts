import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { turnedClock } from '../../test/ovsdb/turned-clock.ts'
import { keepConnected } from './reconnect.ts'
import { formatRemote, parseRemotes } from './remote.ts'

/** What is tried when, in seconds. `lasts`: how long each connection is of use; -1: never. */
async function attempts(
  remotes: string,
  lasts: readonly number[],
  seconds: number,
  random = () => 0,
): Promise<string[]> {
  const clock = turnedClock()
  const stopping = new AbortController()
  const seen: string[] = []
  const ended = keepConnected({
    remotes: parseRemotes(remotes),
    random,
    clock,
    signal: stopping.signal,
    onPause: () => {},
    attempt: (remote) => {
      seen.push(`${clock.now() / 1000} ${formatRemote(remote)}`)
      const milliseconds = lasts[seen.length - 1] ?? -1
      const { promise, resolve } = Promise.withResolvers<number>()
      if (milliseconds < 0) resolve(-1)
      else clock.after(milliseconds, () => resolve(milliseconds))
      return promise
    },
  })
  await clock.turn(seconds * 1000)
  stopping.abort()
  await ended
  return seen
}

describe('reconnecting', () => {
  it('waits 1, 2, 4, 8, 8 seconds', async () => {
    assert.deepEqual(await attempts('unix:a', [], 31), [
      '0 unix:a',
      '1 unix:a',
      '3 unix:a',
      '7 unix:a',
      '15 unix:a',
      '23 unix:a',
      '31 unix:a',
    ])
  })

  it('tries every remote before it waits', async () => {
    assert.deepEqual(await attempts('unix:a,unix:b', [], 2), ['0 unix:a', '0 unix:b', '1 unix:a', '1 unix:b'])
  })

  it('is immediate after a good connection, and the waits begin anew', async () => {
    const lasts = [-1, -1, -1, 60_000]
    assert.deepEqual(await attempts('unix:a', lasts, 69), [
      '0 unix:a',
      '1 unix:a',
      '3 unix:a',
      '7 unix:a',
      '67 unix:a',
      '68 unix:a',
    ])
  })

  it('does not take for good what ends sooner than the wait before it', async () => {
    assert.deepEqual(await attempts('unix:a', Array(9).fill(100), 5), ['0 unix:a', '1.1 unix:a', '3.2 unix:a'])
  })

  it('shuffles the remotes for every round, and does not wait in step with others', async () => {
    const random = (() => {
      const numbers = [0.9, 0.1, 0.8, 0.1, 0.9]
      return () => numbers.shift() ?? 0
    })()
    assert.deepEqual(await attempts('unix:a,unix:b', [], 1, random), [
      '0 unix:b',
      '0 unix:a',
      '0.8 unix:a',
      '0.8 unix:b',
    ])
  })
})
