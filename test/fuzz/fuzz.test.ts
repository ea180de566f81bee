import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Random } from '../peers/random.ts'
import { type HostileChain, openHostileChain } from '../support/hostile-chain.ts'
import { judge, WAYS, type Way } from './judge.ts'
import { bent } from './mutate.ts'
import { SEEDS } from './seeds.ts'

const LIMITS = { headMilliseconds: 500, requestMilliseconds: 1000, idleMilliseconds: 2000, lookMilliseconds: 100 }
/** The same every time; `test/fuzz/run.ts` looks for others. */
const BENT = 400

describe('whatever comes in', () => {
  let chain: HostileChain
  before(async () => {
    chain = await openHostileChain(LIMITS)
  })
  after(() => chain?.close())

  for (const way of Object.keys(WAYS) as Way[]) {
    for (const seed of SEEDS)
      it(`at the ${way}: ${JSON.stringify(seed.slice(0, 60))}`, async () => {
        for (const pieces of [1, 7]) assert.equal(await judge(chain, way, seed, pieces), undefined)
      })

    it(`at the ${way}: ${BENT} requests bent at random`, async () => {
      const random = new Random(6)
      for (let i = 0; i < BENT; i += 1) {
        const text = bent(random)
        assert.equal(await judge(chain, way, text), undefined, JSON.stringify(text))
      }
    })
  }
})
