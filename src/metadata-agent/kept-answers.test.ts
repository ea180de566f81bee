import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type KeptOptions, keepAnswers } from './kept-answers.ts'

class Away extends Error {}

/** A place that answers what it is told to, by a clock of the test's. */
function world(options: Partial<KeptOptions> = {}) {
  const state = {
    time: 0,
    asked: 0,
    answer: ['a'] as readonly string[] | Error,
    stale: [] as number[],
  }
  const answers = keepAnswers<string>({
    freshMilliseconds: 10_000,
    staleMilliseconds: 60_000,
    size: 3,
    paceMilliseconds: 20,
    now: () => state.time,
    isAway: (error) => error instanceof Away,
    onStale: (age) => state.stale.push(age),
    ...options,
  })
  const ask = async () => {
    state.asked += 1
    if (state.answer instanceof Error) throw state.answer
    return state.answer
  }
  return { state, get: (key = 'k', isNew = false) => answers.get(key, ask, isNew) }
}

describe('answers that are kept', () => {
  it('are given until they are old', async () => {
    const { state, get } = world()
    await get()
    state.time = 9_999
    await get()
    assert.equal(state.asked, 1)
    state.time = 10_000
    await get()
    assert.equal(state.asked, 2)
  })

  it('are not given to who wants a new one', async () => {
    const { state, get } = world()
    await get()
    state.answer = ['b']
    assert.deepEqual(await get('k', true), ['a'], 'this one is new enough')
    state.time = 1_000
    assert.deepEqual(await get(), ['a'])
    assert.deepEqual(await get('k', true), ['b'])
  })

  it('are asked for once by many at the same time', async () => {
    const { state, get } = world()
    const all = await Promise.all(Array.from({ length: 100 }, () => get()))
    assert.equal(state.asked, 1)
    assert.ok(all.every((each) => each[0] === 'a'))
  })

  it('are no answers when nothing was found: a port made a moment ago is found', async () => {
    const { state, get } = world()
    state.answer = []
    assert.deepEqual(await get(), [])
    state.answer = ['new']
    assert.deepEqual(await get(), ['new'])
  })

  it('are asked for at a slow pace while there is nothing', async () => {
    const { state, get } = world({ paceMilliseconds: 30, now: () => performance.now() })
    state.answer = []
    const start = performance.now()
    for (let i = 0; i < 3; i += 1) await Promise.all([get(), get(), get()])
    assert.equal(state.asked, 3)
    assert.ok(performance.now() - start >= 2 * 29, 'the second and third question wait')
  })

  it('are given beyond their time while nobody can be asked, and no longer than told', async () => {
    const { state, get } = world()
    await get()
    state.answer = new Away('no route')
    state.time = 50_000
    assert.deepEqual(await get(), ['a'])
    assert.deepEqual(await get(), ['a'])
    assert.equal(state.asked, 2, 'the second does not wait to find out again')
    assert.deepEqual(state.stale, [50_000, 50_000])
    state.time = 60_001
    await assert.rejects(get(), Away)
  })

  it('do not turn "nothing was found" into an answer while nobody can be asked', async () => {
    const { state, get } = world()
    state.answer = []
    await get()
    state.answer = new Away('no route')
    await assert.rejects(get(), Away)
  })

  it('are not made of other failures', async () => {
    const { state, get } = world()
    await get()
    state.time = 20_000
    state.answer = new Error('a mistake of ours')
    await assert.rejects(get(), /a mistake of ours/)
  })

  it('are so many and no more', async () => {
    const { state, get } = world()
    for (const key of ['1', '2', '3', '4']) await get(key)
    await get('4')
    assert.equal(state.asked, 4)
    await get('1')
    assert.equal(state.asked, 5)
  })
})
