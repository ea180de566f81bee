import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followCommits } from './follow.ts'

test('a store that cannot be read is asked at its own pace, however many wait', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let reads = 0
  let isLocked = true
  const { caughtUp, end } = followCommits(
    0,
    async () => {
      reads += 1
      if (isLocked) throw new Error('locked')
      return undefined
    },
    () => assert.fail('nothing was committed'),
  )
  await assert.rejects(caughtUp(), /locked/)
  const crowd = Array.from({ length: 1_000 }, () => assert.rejects(caughtUp(), /locked/))
  assert.equal(reads, 1)
  t.mock.timers.tick(250)
  await Promise.all(crowd)
  assert.equal(reads, 2)
  isLocked = false
  const later = caughtUp()
  t.mock.timers.tick(250)
  await later
  assert.equal(reads, 3)
  end()
  await assert.rejects(caughtUp(), /no longer/)
})

test('who waits when it ends is told', async () => {
  const { caughtUp, end } = followCommits(
    0,
    () => new Promise(() => {}),
    () => undefined,
  )
  caughtUp().catch(() => undefined) // its read goes on
  const waiting = caughtUp()
  end()
  await assert.rejects(waiting, /no longer/)
})
