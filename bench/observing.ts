import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Benchmark } from './benchmark.ts'
import { type Chain, isListening, MODES, prepareGuests, SECONDS, sampleOf } from './chain-load.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { median, ratio } from './statistics.ts'

const ROUNDS = 9
const PROCESS = fileURLToPath(new URL('chain-process.ts', import.meta.url))
const PORTS = { plain: 8084, observed: 8085 } as const

export const observing: Benchmark = {
  title: 'What the flight recorder and the metrics add to a request',
  async run(say) {
    const directory = '/run/firstboot-bench/observing'
    mkdirSync(directory, { recursive: true })
    const started: ServerProcess[] = []
    try {
      const state = join(directory, 'state')
      await prepareGuests(directory, state)
      const start = async (name: keyof typeof PORTS, ...args: string[]): Promise<Chain> => {
        const port = PORTS[name]
        const database = join(state, 'inventory.sqlite')
        const server = startServer([process.execPath, PROCESS, '--port', `${port}`, '--database', database, ...args])
        started.push(server)
        await server.until(`somebody on port ${port}`, () => isListening(port))
        return { name, port, processes: [server] }
      }
      const plain = await start('plain')
      const observed = await start('observed', '--flight', join(directory, 'flight'))
      const series = MODES.map((each) => ({ ...each, plain: [] as number[], observed: [] as number[] }))
      for (let round = -1; round < ROUNDS; round += 1) {
        say(round < 0 ? 'warming up' : `round ${round + 1} of ${ROUNDS}`)
        for (const { isFresh, ...cpu } of series) {
          // Who comes first changes, so that neither always has the cooler machine.
          const turns = [plain, observed] as const
          for (const chain of round % 2 === 0 ? turns : turns.toReversed()) {
            const { cpuPerRequest } = await sampleOf(chain, isFresh)
            if (round >= 0) cpu[chain === plain ? 'plain' : 'observed'].push(cpuPerRequest)
          }
        }
      }
      const rows = series.map(({ mode, plain: without, observed: with_ }) => {
        const { median: middle, smallest, largest } = ratio(with_, without)
        return [
          mode,
          median(without).toFixed(1),
          median(with_).toFixed(1),
          ...[middle, smallest, largest].map((each) => each.toFixed(3)),
        ]
      })
      return {
        tables: [
          {
            caption: 'CPU time per request, in µs',
            rows: [['connections', 'neither', 'both', 'ratio', 'smallest', 'largest'], ...rows],
          },
        ],
        notes: [
          `Proxy, agent and API in one process, asked for meta_data.json by 200 guests at once; ${ROUNDS} rounds of ${SECONDS} s each, with and without taking turns. CPU is utime + stime by the requests answered, the median of the rounds; the ratio is the median of the rounds’ ratios. The records are really written.`,
        ],
        figures: series,
      }
    } finally {
      for (const server of started.toReversed()) await server.stop()
      rmSync(directory, { recursive: true, force: true })
    }
  },
}
