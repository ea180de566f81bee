import assert from 'node:assert/strict'
import { it } from 'node:test'
import { decimal, isoClock, quoted } from './words.ts'

it('writes text as JSON does', () => {
  const every = Array.from({ length: 0x180 }, (_, code) => String.fromCharCode(code))
  for (const text of ['', 'GET', '/latest/meta-data/', ...every, every.join(''), '\ud800', '\u2028'])
    assert.equal(quoted(text), JSON.stringify(text))
})

it('writes milliseconds to the microsecond', () => {
  const rows: readonly (readonly [number, string])[] = [
    [0, '0.000'],
    [0.0004, '0.000'],
    [0.0005, '0.001'],
    [0.9996, '1.000'],
    [2, '2.000'],
    [12.3456789, '12.346'],
    [3_000_000_000.25, '3000000000.250'],
  ]
  for (const [number, text] of rows) assert.equal(decimal(number), text)
})

it('tells the time as Date does, also when the clock is set back', () => {
  const times = [0, 999, 1000, 1_795_288_746_005, 1_795_288_746_120, 1_795_288_747_000, 1_795_288_746_120]
  let now = 0
  const clock = isoClock(() => now)
  for (now of times) assert.equal(clock(), new Date(now).toISOString())
})
