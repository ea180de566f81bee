import { parseArgs } from 'node:util'
import { Random } from '../peers/random.ts'
import { openHostileChain } from '../support/hostile-chain.ts'
import { judge, WAYS, type Way } from './judge.ts'
import { bent } from './mutate.ts'
import { SEEDS } from './seeds.ts'

// `node test/fuzz/run.ts [--seconds N] [--seed N]`: bent requests to proxy and agent for as long as told, by default a
// minute. What is wrong is printed as a seed for seeds.ts; the exit code is 1 then.

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: String(Date.now() % 1e9) } },
})
const seed = Number(values.seed)
const random = new Random(seed)
const end = performance.now() + Number(values.seconds) * 1000
/** At a time, so that connections meet. */
const LANES = 8

const chain = await Promise.all(
  Array.from({ length: LANES }, () =>
    openHostileChain({
      headMilliseconds: 500,
      requestMilliseconds: 1000,
      idleMilliseconds: 2000,
      lookMilliseconds: 100,
    }),
  ),
)
let requests = 0
const found = new Map<string, string>()
process.stdout.write(`seed ${seed}\n`)
await Promise.all(
  chain.map(async (lane) => {
    while (performance.now() < end) {
      const text = bent(random)
      const way = (random.once(2) ? 'proxy' : 'agent') satisfies Way
      const pieces = random.once(3) ? random.integer(1, 8) : 1
      const wrong = await judge(lane, way, text, pieces)
      requests += 1
      if (wrong !== undefined && !found.has(`${way}: ${wrong}`)) {
        found.set(`${way}: ${wrong}`, text)
        process.stdout.write(`${way}: ${wrong} (${pieces} pieces)\n  ${JSON.stringify(text)},\n`)
      }
    }
    for (const way of Object.keys(WAYS) as Way[]) {
      const wrong = await judge(lane, way, SEEDS[0] ?? '')
      if (wrong !== undefined) found.set(`${way} at the end`, wrong)
    }
  }),
)
const { heapUsed, rss } = process.memoryUsage()
process.stdout.write(
  `${requests} requests, ${found.size} kinds of trouble; heap ${Math.round(heapUsed / 1e6)} MB, resident ${Math.round(rss / 1e6)} MB\n`,
)
await Promise.all(chain.map((lane) => lane.close()))
process.exitCode = found.size === 0 ? 0 : 1
