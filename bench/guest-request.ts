import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Answer, ask } from './ask.ts'
import type { Benchmark } from './benchmark.ts'
import { guestRequestTables } from './guest-request-tables.ts'
import { staticConfig } from './haproxy.ts'
import { inCore, inNetns } from './placing.ts'
import { cpuMicroseconds } from './process-usage.ts'
import { EC2_INSTANCE_ID, SERVER, type ServedGuest, serveGuest, USER_DATA } from './served-guest.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import { type Load, load } from './wrk.ts'

/** What a guest asks for, and how the right answer is known. */
const DOCUMENTS = [
  { path: '/latest/meta-data/instance-id', isRight: (body: string) => body === EC2_INSTANCE_ID },
  { path: '/openstack/latest/meta_data.json', isRight: (body: string) => JSON.parse(body).uuid === SERVER },
  { path: '/openstack/latest/user_data', isRight: (body: string) => body === USER_DATA },
] as const

const MODES = [
  { mode: 'keep-alive', isFresh: false },
  { mode: 'new connection', isFresh: true },
] as const

const ROUNDS = 5
const SECONDS = 1
/** Enough to keep the server at work without a pause: for CPU time. Latency is that of a guest that is alone. */
const MANY = 32

const SERVER_CORE = 0
const LOAD_CORE = 1

const ADDRESS = '169.254.169.254'
const HAPROXY_PORT = 8080
const NODE_PORT = 8081
const BARE_NODE = fileURLToPath(new URL('bare-node.ts', import.meta.url))

/** One round of one server, document and mode. */
export interface Sample {
  /** CPU time of the server in microseconds. */
  readonly cpuPerRequest: number
  readonly busy: Load
  readonly alone: Load
}

export interface Measured {
  readonly path: string
  readonly bytes: number
  readonly mode: (typeof MODES)[number]['mode']
  /** By round. */
  readonly firstboot: readonly Sample[]
  readonly haproxy: readonly Sample[]
  /** node:http with nothing of ours. */
  readonly node: readonly Sample[]
}

export const guestRequest: Benchmark = {
  title: 'One guest request through `firstboot up`, against haproxy’s static answer of the same bytes',
  async run(say) {
    const directory = '/run/firstboot-bench/guest-request'
    mkdirSync(directory, { recursive: true })
    const served = await serveGuest(directory, SERVER_CORE)
    try {
      const answers = DOCUMENTS.map((document) => rightAnswer(served, document))
      const others = startStatic(directory, served, answers)
      try {
        for (const { process, port } of others) {
          const isThere = () => ask(served.guestNetns, urlOf(DOCUMENTS[0].path, port))?.status === 200
          await process.until('an answer', isThere)
          for (const [i, { path }] of DOCUMENTS.entries())
            assertSame(answers[i], ask(served.guestNetns, urlOf(path, port)), path)
        }
        const firstboot = { name: 'firstboot', process: served.firstboot, port: 80 } as const
        const measured = await measure(served.guestNetns, [firstboot, ...others], answers, say)
        return { tables: guestRequestTables(measured), notes: NOTES, figures: measured }
      } finally {
        for (const { process } of others) await process.stop()
      }
    } finally {
      await served.stop()
    }
  },
}

const NOTES = [
  `${ROUNDS} rounds; in each, the three servers take their turn at every row, for ${SECONDS} s with ${MANY} connections (CPU) and ${SECONDS} s with one (latency).`,
  `CPU is utime + stime of the server’s process, divided by the requests answered: the median of the rounds. Its ratio is the median of the ratios of each round, behind it the smallest and the largest. Server on core ${SERVER_CORE}, wrk in the guest’s namespace on core ${LOAD_CORE}.`,
  'node:http is a server of it alone that looks the path up among three and hands over head and body in one piece: what remains for ours is the quotient of the two.',
  'Latency is that of the quietest round, since whatever else the machine does only adds to it; connecting is not in it.',
  'Before that every answer was read once from each server, and status, type and bytes were the same. meta_data.json has a new random_seed at each request to firstboot and an old one from haproxy.',
]

function urlOf(path: string, port = 80): string {
  return `http://${ADDRESS}:${port}${path}`
}

function rightAnswer({ guestNetns }: ServedGuest, { path, isRight }: (typeof DOCUMENTS)[number]): Answer {
  const answer = ask(guestNetns, urlOf(path))
  assert.ok(answer?.status === 200 && isRight(answer.body.toString()), `firstboot’s answer to ${path} is wrong`)
  return answer
}

function assertSame(ours: Answer | undefined, theirs: Answer | undefined, path: string): void {
  assert.deepEqual(theirs, ours, `the answers to ${path} differ`)
}

interface Server {
  readonly name: 'firstboot' | 'haproxy' | 'node'
  readonly process: ServerProcess
  readonly port: number
}

/** Those that have nothing to find out. */
function startStatic(directory: string, { serviceNetns }: ServedGuest, answers: readonly Answer[]): readonly Server[] {
  const files = DOCUMENTS.map(({ path }, i) => {
    const file = join(directory, path.replaceAll('/', '_'))
    writeFileSync(file, answers[i]?.body ?? '')
    return { path, contentType: answers[i]?.contentType ?? '', file }
  })
  const config = join(directory, 'haproxy.conf')
  writeFileSync(config, staticConfig(ADDRESS, HAPROXY_PORT, files))
  const place = ['--address', ADDRESS, '--port', `${NODE_PORT}`]
  const triples = files.flatMap(({ path, contentType, file }) => [path, contentType, file])
  const start = (...command: string[]) => startServer(inNetns(serviceNetns, inCore(SERVER_CORE, command)))
  return [
    { name: 'haproxy', process: start('haproxy', '-db', '-f', config), port: HAPROXY_PORT },
    { name: 'node', process: start(process.execPath, BARE_NODE, ...place, ...triples), port: NODE_PORT },
  ]
}

interface Series extends Measured {
  readonly firstboot: Sample[]
  readonly haproxy: Sample[]
  readonly node: Sample[]
}

/** Everything once for the compiler's sake, then the rounds. Who goes first alternates. */
async function measure(
  guestNetns: string,
  servers: readonly Server[],
  answers: readonly Answer[],
  say: (line: string) => void,
): Promise<readonly Measured[]> {
  const series = DOCUMENTS.flatMap(({ path }, i) =>
    MODES.map(
      ({ mode }): Series => ({
        path,
        mode,
        bytes: answers[i]?.body.length ?? 0,
        firstboot: [],
        haproxy: [],
        node: [],
      }),
    ),
  )
  const sampleOf = (each: Measured, { process, port }: Server) =>
    sample(guestNetns, process.pid, urlOf(each.path, port), each.mode === 'new connection')
  say('warming up')
  for (const each of series) for (const server of servers) await sampleOf(each, server)
  for (let round = 0; round < ROUNDS; round += 1) {
    say(`round ${round + 1} of ${ROUNDS}`)
    for (const each of series) {
      for (const server of round % 2 === 0 ? servers : servers.toReversed())
        each[server.name].push(await sampleOf(each, server))
    }
  }
  return series
}

async function sample(netns: string, pid: number, url: string, isFresh: boolean): Promise<Sample> {
  const options = { netns, core: LOAD_CORE, url, seconds: SECONDS, isFresh }
  const before = cpuMicroseconds(pid)
  const busy = await load({ ...options, connections: MANY })
  const cpuPerRequest = (cpuMicroseconds(pid) - before) / busy.requests
  return { cpuPerRequest, busy, alone: await load({ ...options, connections: 1 }) }
}
