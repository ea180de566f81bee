import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backoff } from './backoff.ts'

const ARGUMENTS = ['--port=1']

function clocked() {
  let now = 0
  const backoff = new Backoff(() => now)
  return { backoff, pass: (seconds: number) => (now += seconds * 1000) }
}

test('what does not come up waits 1, 2, 4, ... 30 seconds, and says why', () => {
  const { backoff, pass } = clocked()
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    backoff.check('a', ARGUMENTS)
    backoff.failed('a', ARGUMENTS, 'port taken')
    assert.throws(() => backoff.check('a', ARGUMENTS), { message: `port taken; next attempt in ${seconds} s` })
    pass(seconds)
  }
})

test('other arguments, and other programs, need not wait', () => {
  const { backoff } = clocked()
  backoff.failed('a', ARGUMENTS, 'port taken')
  assert.doesNotThrow(() => backoff.check('a', ['--port=2']))
  assert.doesNotThrow(() => backoff.check('b', ARGUMENTS))
})

test('one early death is started again at once, the second is not', () => {
  const { backoff } = clocked()
  backoff.started('a')
  backoff.ended('a', ARGUMENTS, 'killed')
  assert.doesNotThrow(() => backoff.check('a', ARGUMENTS))
  backoff.started('a')
  backoff.ended('a', ARGUMENTS, 'killed')
  assert.throws(() => backoff.check('a', ARGUMENTS), /next attempt in 1 s/)
})

test('a healthy life is forgotten and forgiven', () => {
  const { backoff, pass } = clocked()
  for (let i = 0; i < 3; i++) {
    backoff.started('a')
    pass(11)
    backoff.ended('a', ARGUMENTS, 'killed')
    assert.doesNotThrow(() => backoff.check('a', ARGUMENTS))
  }
})
