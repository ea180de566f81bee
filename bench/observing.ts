import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Benchmark } from './benchmark.ts'
import { isListening, MODES, prepareGuests } from './chain-load.ts'
import { inCore } from './placing.ts'
import { exactCpuMicroseconds } from './process-usage.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { median, quartiles } from './statistics.ts'
import { openGuests, type SteadyGuests } from './steady-guests.ts'

const PATHS = ['/latest/meta-data/instance-id', '/openstack/latest/meta_data.json'] as const
const GUESTS = 50
const WARM_UP_ROUNDS = 12
const ROUNDS = 40
const WINDOW_MILLISECONDS = 300
/** Longer than the recorder waits before it writes, so that each window pays for its own records. */
const REST_MILLISECONDS = 260
const SERVER_CORE = 0
const PROCESS = fileURLToPath(new URL('chain-process.ts', import.meta.url))
const PORTS = { plain: 8084, observed: 8085 } as const

/** Microseconds per request, by round. */
interface Series {
  readonly path: string
  readonly mode: string
  readonly guests: Readonly<Record<keyof typeof PORTS, SteadyGuests>>
  readonly plain: number[]
  readonly observed: number[]
}

export const observing: Benchmark = {
  title: 'What the flight recorder and the metrics add to a request',
  async run(say) {
    const directory = '/run/firstboot-bench/observing'
    mkdirSync(directory, { recursive: true })
    let server: ServerProcess | undefined
    try {
      const state = join(directory, 'state')
      await prepareGuests(directory, state)
      server = startServer(inCore(SERVER_CORE, command(join(state, 'inventory.sqlite'), join(directory, 'flight'))))
      for (const port of Object.values(PORTS)) await server.until(`somebody on port ${port}`, () => isListening(port))
      const series = await measure(server.pid, say)
      return { tables: [table(series)], notes: NOTES, figures: series.map(({ guests: _, ...figures }) => figures) }
    } finally {
      await server?.stop()
      rmSync(directory, { recursive: true, force: true })
    }
  },
}

const NOTES = [
  `Proxy, agent and API in one process on core ${SERVER_CORE}, with two ports: what comes by one is recorded, counted and its stages timed, what comes by the other is not. ${GUESTS} guests ask without a pause, for ${WINDOW_MILLISECONDS} ms at one port and then at the other, ${ROUNDS} times, each port first in turn; before that ${WARM_UP_ROUNDS} rounds for the compiler.`,
  'CPU is what the scheduler accounts to all threads of the process, to the nanosecond, from the first request of a window until its records are written to disk. The ratio is formed within each round; shown are the median and the quartiles of the rounds, since what else the machine does is in single ones.',
]

function command(database: string, flight: string): [string, ...string[]] {
  const ports = ['--port', `${PORTS.plain}`, '--observed-port', `${PORTS.observed}`]
  return [process.execPath, PROCESS, ...ports, '--database', database, '--flight', flight]
}

async function measure(pid: number, say: (line: string) => void): Promise<readonly Series[]> {
  const series = PATHS.flatMap((path) =>
    MODES.map(({ mode, isFresh }): Series => {
      const guestsOf = (port: number) => openGuests({ port, path, guests: GUESTS, isFresh })
      return {
        path,
        mode,
        guests: { plain: guestsOf(PORTS.plain), observed: guestsOf(PORTS.observed) },
        plain: [],
        observed: [],
      }
    }),
  )
  const turns = ['plain', 'observed'] as const
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    if (round % 10 === 0) say(round < 0 ? 'warming up' : `round ${round + 1} of ${ROUNDS}`)
    for (const each of series) {
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
        const cost = await window(pid, each.guests[turn])
        if (round >= 0) each[turn].push(cost)
      }
    }
  }
  for (const { guests } of series) for (const turn of turns) guests[turn].close()
  return series
}

async function window(pid: number, guests: SteadyGuests): Promise<number> {
  const before = exactCpuMicroseconds(pid)
  const answered = await guests.ask(WINDOW_MILLISECONDS)
  await pause(REST_MILLISECONDS)
  return (exactCpuMicroseconds(pid) - before) / answered
}

function table(series: readonly Series[]) {
  const rows = series.map(({ path, mode, plain, observed }) => {
    const ratios = observed.map((cost, round) => cost / (plain[round] ?? Number.NaN))
    const costs = [median(plain), median(observed)].map((cost) => cost.toFixed(1))
    return [path, mode, ...costs, ...quartiles(ratios).map((ratio) => ratio.toFixed(3))]
  })
  return {
    caption: 'CPU time per request, in µs (aim: a ratio under 1.05)',
    rows: [['document', 'connections', 'neither', 'both', 'ratio', 'lower quartile', 'upper quartile'], ...rows],
  }
}
