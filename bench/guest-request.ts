import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
}

export const guestRequest: Benchmark = {
  title: 'One guest request through `firstboot up`, against haproxy’s static answer of the same bytes',
  async run(say) {
    const directory = '/run/firstboot-bench/guest-request'
    mkdirSync(directory, { recursive: true })
    const served = await serveGuest(directory, SERVER_CORE)
    try {
      const answers = DOCUMENTS.map((document) => rightAnswer(served, document))
      const haproxy = startStatic(directory, served, answers)
      try {
        await haproxy.until(
          'an answer',
          () => ask(served.guestNetns, urlOf(DOCUMENTS[0].path, HAPROXY_PORT))?.status === 200,
        )
        for (const [i, { path }] of DOCUMENTS.entries())
          assertSame(answers[i], ask(served.guestNetns, urlOf(path, HAPROXY_PORT)), path)
        const measured = await measure(served, haproxy, answers, say)
        return { tables: guestRequestTables(measured), notes: NOTES, figures: measured }
      } finally {
        await haproxy.stop()
      }
    } finally {
      await served.stop()
    }
  },
}

const NOTES = [
  `${ROUNDS} rounds; in each, both servers take their turn at every row, for ${SECONDS} s with ${MANY} connections (CPU) and ${SECONDS} s with one (latency).`,
  `CPU is utime + stime of the server’s process, divided by the requests answered: the median of the rounds. Its ratio is the median of the ratios of each round, behind it the smallest and the largest. Server on core ${SERVER_CORE}, wrk in the guest’s namespace on core ${LOAD_CORE}.`,
  'Latency is that of the quietest round, since whatever else the machine does only adds to it; connecting is not in it.',
  'Before that every answer was read once from either server, and status, type and bytes were the same. meta_data.json has a new random_seed at each request to firstboot and an old one from haproxy.',
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

function startStatic(directory: string, { serviceNetns }: ServedGuest, answers: readonly Answer[]): ServerProcess {
  const files = DOCUMENTS.map(({ path }, i) => {
    const file = join(directory, path.replaceAll('/', '_'))
    writeFileSync(file, answers[i]?.body ?? '')
    return { path, contentType: answers[i]?.contentType ?? '', file }
  })
  const config = join(directory, 'haproxy.conf')
  writeFileSync(config, staticConfig(ADDRESS, HAPROXY_PORT, files))
  return startServer(inNetns(serviceNetns, inCore(SERVER_CORE, ['haproxy', '-db', '-f', config])))
}

interface Series extends Measured {
  readonly firstboot: Sample[]
  readonly haproxy: Sample[]
}

/** Everything once for the compiler's sake, then the rounds. Who goes first alternates. */
async function measure(
  { firstboot, guestNetns }: ServedGuest,
  haproxy: ServerProcess,
  answers: readonly Answer[],
  say: (line: string) => void,
): Promise<readonly Measured[]> {
  const series = DOCUMENTS.flatMap(({ path }, i) =>
    MODES.map(({ mode }): Series => ({ path, mode, bytes: answers[i]?.body.length ?? 0, firstboot: [], haproxy: [] })),
  )
  const servers = [
    { name: 'firstboot', process: firstboot, port: 80 },
    { name: 'haproxy', process: haproxy, port: HAPROXY_PORT },
  ] as const
  const sampleOf = (each: Measured, { process, port }: (typeof servers)[number]) =>
    sample(guestNetns, process.pid, urlOf(each.path, port), each.mode === 'new connection')
  say('warming up')
  for (const each of series) await sampleOf(each, servers[0])
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
