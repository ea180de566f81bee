import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ownCommand } from '../src/daemons/own-command.ts'
import { runProgram } from '../src/host/programs.ts'
import type { Benchmark } from './benchmark.ts'
import { GUESTS, NETWORK } from './chain-inventory.ts'
import { type ChainSample, isListening, MODES, PATH, prepareGuests, SECONDS, sampleOf } from './chain-load.ts'
import { chainTables } from './chain-tables.ts'
import { proxyConfig, staticConfig } from './haproxy.ts'
import { type ServerProcess, startServer } from './server-process.ts'

//   200 guests ---- haproxy, static                                                      the measure
//              \--- haproxy ------- unix socket ---- metadata-agent ---- metadata-api    three daemons
//              \--- our proxy ----- unix socket ---- metadata-agent ---- metadata-api    three daemons of ours
//              \--- our proxy, agent and API in one process

const ROUNDS = 5
const API_PORT = 8775
const PORTS = { static: 8080, haproxy: 8081, proxy: 8082, one: 8083 } as const
const PROXY = fileURLToPath(new URL('chain-process.ts', import.meta.url))

export interface ChainMeasured {
  readonly chain: string
  readonly workers: number
  readonly mode: (typeof MODES)[number]['mode']
  /** By round. */
  readonly ours: readonly ChainSample[]
  readonly static: readonly ChainSample[]
}

export const chain: Benchmark = {
  title: `The whole chain, asked by ${GUESTS} guests at once, against haproxy’s static answer`,
  async run(say) {
    const measured: ChainMeasured[] = []
    for (const workers of [1, 2]) measured.push(...(await measure(workers, say)))
    return { tables: chainTables(measured), notes: NOTES, figures: measured }
  },
}

const NOTES = [
  `${ROUNDS} rounds; in each, every chain and haproxy’s static answer take their turn for ${SECONDS} s with ${GUESTS} connections, each from an address of its own. Nothing is bound to a core: the load shares them with the chain.`,
  'CPU is utime + stime of all processes of a chain, divided by the requests answered: the median of the rounds. Its ratio is the median of the ratios of each round, behind it the smallest and the largest.',
  'Latency is that under full load, the median of the rounds: mostly the time that 199 others take.',
  'haproxy has neutron’s configuration: a connection to the agent for each request.',
]

async function measure(workers: number, say: (line: string) => void): Promise<readonly ChainMeasured[]> {
  const directory = '/run/firstboot-bench/chain'
  mkdirSync(directory, { recursive: true })
  const started: ServerProcess[] = []
  const start = (command: readonly [string, ...string[]]) => {
    const server = startServer(command)
    started.push(server)
    return server
  }
  try {
    const { chains, measure: still } = await startAll(directory, workers, start)
    const series = chains
      .filter(({ name }) => workers === 1 || !name.includes('one process'))
      .flatMap((each) =>
        MODES.map((mode) => ({ each, ...mode, ours: [] as ChainSample[], static: [] as ChainSample[] })),
      )
    for (let round = -1; round < ROUNDS; round += 1) {
      say(round < 0 ? `warming up with ${workers} workers` : `round ${round + 1} of ${ROUNDS}`)
      for (const { each, isFresh, ours, static: theirs } of series) {
        const sample = await sampleOf(each, isFresh)
        const measured = await sampleOf(still, isFresh)
        if (round < 0) continue
        ours.push(sample)
        theirs.push(measured)
      }
    }
    return series.map(({ each, mode, ours, static: theirs }) => ({
      chain: each.name,
      workers,
      mode,
      ours,
      static: theirs,
    }))
  } finally {
    for (const server of started.toReversed()) await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function startAll(directory: string, workers: number, start: (command: [string, ...string[]]) => ServerProcess) {
  const state = join(directory, 'state')
  const socket = join(directory, 'socket')
  await prepareGuests(directory, state)
  const options = ['--state-dir', state, '--log-level', 'warn', '--metadata-workers', String(workers)]
  const api = start(ownCommand('metadata-api', ...options))
  const agent = start(ownCommand('metadata-agent', ...options, '--metadata-proxy-socket', socket))
  const proxyOf = (port: number, ...args: string[]) => start([process.execPath, PROXY, '--port', String(port), ...args])
  const proxy = proxyOf(PORTS.proxy, '--socket', socket)
  const one = proxyOf(PORTS.one, '--database', join(state, 'inventory.sqlite'))

  const config = join(directory, 'haproxy.conf')
  const place = { networkId: NETWORK, device: 'lo', pidFile: join(directory, 'haproxy.pid'), socket }
  writeFileSync(config, onPort(proxyConfig(place), PORTS.haproxy))
  const haproxy = start(['haproxy', '-db', '-f', config])
  for (const [server, port] of [
    [api, API_PORT],
    [proxy, PORTS.proxy],
    [one, PORTS.one],
    [haproxy, PORTS.haproxy],
  ] as const)
    await server.until(`somebody on port ${port}`, () => isListening(port))

  const answer = join(directory, 'answer')
  for (const port of [PORTS.one, PORTS.proxy, PORTS.haproxy]) await fetchInto(answer, port)
  const staticFile = join(directory, 'static.conf')
  writeFileSync(
    staticFile,
    staticConfig('0.0.0.0', PORTS.static, [{ path: PATH, contentType: 'application/json', file: answer }]),
  )
  const still = start(['haproxy', '-db', '-f', staticFile])
  await still.until('somebody on its port', () => isListening(PORTS.static))
  return {
    chains: [
      { name: 'haproxy → agent → API', port: PORTS.haproxy, processes: [haproxy, agent, api] },
      { name: 'our proxy → agent → API', port: PORTS.proxy, processes: [proxy, agent, api] },
      { name: 'all in one process', port: PORTS.one, processes: [one] },
    ],
    measure: { name: 'static', port: PORTS.static, processes: [still] },
  }
}

/** neutron's configuration listens on addresses that a namespace has. */
function onPort(config: string, port: number): string {
  return config.replace(/^ +bind .*\n( +bind .*\n)?/m, `    bind 0.0.0.0:${port}\n`).replace(/^ +daemon\n/m, '')
}

/** @throws Error when a guest is not answered as itself */
async function fetchInto(file: string, port: number): Promise<void> {
  const { stdout } = await runProgram('curl', [
    '-sS',
    '--fail',
    '--max-time',
    '20',
    '--retry',
    '5',
    '--retry-all-errors',
    `http://10.9.0.7:${port}${PATH}`,
  ])
  if (JSON.parse(stdout).name !== 'bench-6') throw new Error(`port ${port} takes 10.9.0.7 for somebody else`)
  writeFileSync(file, stdout)
}
