import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseFault } from './fault.ts'
import { faultPlan } from './fault-plan.ts'

describe('a fault', () => {
  const cases: { text: string; want: object }[] = [
    { text: '/x:status=503', want: { path: '/x', status: 503 } },
    { text: '/x:missing', want: { status: 404 } },
    { text: '/x:delay=2s', want: { delayMilliseconds: 2000, status: undefined } },
    { text: '/x:delay=1.5s:status=500', want: { delayMilliseconds: 1500, status: 500 } },
    { text: '/x:delay=30ms', want: { delayMilliseconds: 30 } },
    { text: '/x:reset', want: { breakage: { kind: 'reset' } } },
    { text: '/x:truncate', want: { breakage: { kind: 'truncate', bytes: undefined } } },
    { text: '/x:truncate=0', want: { breakage: { kind: 'truncate', bytes: 0 } } },
    { text: '/x:length=-3', want: { breakage: { kind: 'length', difference: -3 } } },
  ]
  for (const { text, want } of cases) it(text, () => assert.partialDeepStrictEqual(parseFault(text), { text, ...want }))

  const refused: { text: string; want: RegExp }[] = [
    { text: '', want: /does not begin with a path/ },
    { text: 'x:reset', want: /does not begin with a path; write PATH:ACTION/ },
    { text: '/x', want: /does not say what to do; add one of delay=2s/ },
    { text: '/x:first=2', want: /does not say what to do/ },
    { text: '/x:status=600', want: /status=503 \(200 to 599\)/ },
    { text: '/x:status', want: /status=503/ },
    { text: '/x:delay=2', want: /delay=2s or delay=300ms/ },
    { text: '/x:reset=1', want: /"reset=1" is not understood: reset/ },
    { text: '/x:length=3', want: /length=\+10 or length=-10/ },
    { text: '/x:reset:nth=0', want: /nth=3 \(the third alone\)/ },
    { text: '/x:reset:first=1:every=2', want: /first and every contradict each other/ },
    { text: '/x:missing:status=500', want: /missing and status contradict each other/ },
    { text: '/x:reset:truncate', want: /reset and truncate contradict each other/ },
    { text: '/x:truncat', want: /did you mean truncate/ },
    { text: '/x:explode', want: /"explode" is no fault; there are: delay=2s/ },
  ]
  for (const { text, want } of refused)
    it(`${text || 'nothing'} is refused`, () => assert.throws(() => parseFault(text), want))
})

describe('a fault happens', () => {
  const turns: { turn: string; want: string }[] = [
    { turn: '', want: '+++++' },
    { turn: ':first=2', want: '++---' },
    { turn: ':nth=3', want: '--+--' },
    { turn: ':every=2', want: '-+-+-' },
    { turn: ':after=1', want: '-++++' },
  ]
  for (const { turn, want } of turns)
    it(turn || 'always', () => {
      const plan = faultPlan([parseFault(`/a/*:reset${turn}`)])
      const due = (guest: string, path: string) => (plan(guest, path) ? '+' : '-')
      assert.equal(Array.from(want, () => due('web-1', '/a/b')).join(''), want)
      assert.equal(Array.from(want, () => due('web-2', '/a/c')).join(''), want, 'counted for each guest')
      assert.equal(due('web-1', '/b'), '-', 'elsewhere it does not')
    })

  it('in the order of the command line, each with its own count', () => {
    const plan = faultPlan(['/a:reset:nth=1', '/*:status=500:first=2'].map(parseFault))
    assert.deepEqual(
      ['/a', '/a', '/a'].map((path) => plan('web-1', path)?.text),
      ['/a:reset:nth=1', '/*:status=500:first=2', undefined],
    )
  })
})
