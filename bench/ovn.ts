import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { runProgram } from '../src/host/programs.ts'
import { type HttpClient, openHttpClient } from '../src/http/client.ts'
import { Headers } from '../src/http/messages.ts'
import { createDatabase, endServers, ovsdbServer, temporaryDirectory } from '../test/ovsdb/ovsdb-server.ts'
import { firstboot } from '../test/support/daemon.ts'
import type { Benchmark } from './benchmark.ts'
import { cpuMicroseconds, pssKibibytes } from './process-usage.ts'
import { CHASSIS, churn, fillSouthbound, NETWORK, openWriter, PORTS_EACH } from './southbound.ts'

const FOREIGN_NETWORKS = [0, 2_000]
const REQUESTS = 500
const CHANGES_A_SECOND = 1_000
const SECONDS = 10

interface Figures {
  readonly rows: number
  readonly firstAnswerMilliseconds: number
  readonly pssKibibytes: number
  readonly microsecondsARequest: number
  readonly idleCpuPercent: number
  readonly churnCpuPercent: number
  readonly changesASecond: number
}

export const ovn: Benchmark = {
  title: 'ovn: the metadata agent of one chassis, and the size of the cloud',
  async run(say) {
    const measured: Figures[] = []
    for (const foreign of FOREIGN_NETWORKS) measured.push(await measure(foreign, say))
    const percent = (value: number) => `${value.toFixed(1)} %`
    return {
      tables: [
        {
          caption: `${PORTS_EACH} ports on this chassis`,
          rows: [
            [
              'rows of Port_Binding',
              'start to first answer',
              'memory (PSS)',
              'CPU a request',
              'CPU, cloud at rest',
              `CPU, ${CHANGES_A_SECOND} changes elsewhere a second`,
            ],
            ...measured.map((one) => [
              String(one.rows),
              `${Math.round(one.firstAnswerMilliseconds)} ms`,
              `${(one.pssKibibytes / 1024).toFixed(1)} MB`,
              `${Math.round(one.microsecondsARequest)} µs`,
              percent(one.idleCpuPercent),
              percent(one.churnCpuPercent),
            ]),
          ],
        },
      ],
      notes: [
        'CPU and memory are those of the agent, the process that answers guests and the socket keeper together.',
        'The server filters by conditions for each client; what that costs it is not counted here.',
        'neutron-ovn-metadata-agent 21.0.0, measured elsewhere on a machine like this one: at 100,000 rows 1.45 GB in each of three processes, 0.9 to 1.6 s of CPU a request, 192 s to the first answer.',
      ],
      figures: measured,
    }
  },
}

async function measure(foreign: number, say: (line: string) => void): Promise<Figures> {
  const directory = temporaryDirectory()
  const server = (name: string, schema: string) =>
    ovsdbServer(directory, createDatabase(directory, schema, name), { name })
  const southbound = server('sb', '/usr/share/ovn/ovn-sb.ovsschema')
  const local = server('local', '/usr/share/openvswitch/vswitch.ovsschema')
  await Promise.all([southbound.start(), local.start()])
  const vsctl = (...args: string[]) => runProgram('ovs-vsctl', [`--db=${local.remote}`, '--no-wait', ...args])
  await vsctl('init')
  const ids = [`system-id=${CHASSIS}`, `ovn-remote="${southbound.remote}"`].map((id) => `external_ids:${id}`)
  await vsctl('set', 'Open_vSwitch', '.', ...ids, '--', 'add-br', 'br-int')
  const writer = await openWriter(southbound.remote)
  const ports = await fillSouthbound(writer, foreign)
  const rows = ports.length + PORTS_EACH
  southbound.control('ovsdb-server/compact') // or the server would do so while it is measured
  say(`${rows} ports are in the Southbound`)

  const nova = createServer((_, reply) => reply.writeHead(200, { 'Content-Type': 'text/plain' }).end('i-1')).listen(
    8775,
    '127.0.0.1',
  )
  await once(nova, 'listening')
  const state = join(directory, 'state')
  const client = openHttpClient([{ socketPath: join(state, 'run/metadata_proxy') }])
  const began = performance.now()
  const agent = startAgent(local.remote, state)
  try {
    const pid = agent.pid as number
    while (!(await isAnswered(client))) await pause(10)
    const firstAnswerMilliseconds = performance.now() - began
    await pause(3_000)
    const before = cpuMicroseconds(pid)
    for (let i = 0; i < REQUESTS; i += 1) await isAnswered(client)
    const microsecondsARequest = (cpuMicroseconds(pid) - before) / REQUESTS
    const idleCpuPercent = await cpuPercent(pid)
    const end = ports.length > 0 ? churn(writer, ports, CHANGES_A_SECOND) : async () => 0
    const churnCpuPercent = await cpuPercent(pid)
    const changesASecond = (await end()) / SECONDS
    say(`${Math.round(changesASecond)} changes a second were made`)
    return {
      rows,
      firstAnswerMilliseconds,
      pssKibibytes: pssKibibytes(pid),
      microsecondsARequest,
      idleCpuPercent,
      churnCpuPercent,
      changesASecond,
    }
  } finally {
    const ended = once(agent, 'exit')
    agent.kill('SIGINT')
    await ended
    await client.close()
    nova.close()
    nova.closeAllConnections()
    await writer.close()
    await endServers()
  }
}

function startAgent(local: string, state: string): ChildProcess {
  const [program, ...args] = firstboot(
    'ovn-metadata-agent',
    `--ovsdb-connection=${local}`,
    `--state-dir=${state}`,
    '--log-level=warn',
  )
  return spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

async function isAnswered(client: HttpClient): Promise<boolean> {
  const fields = [
    ['x-ovn-network-id', NETWORK],
    ['x-forwarded-for', '10.0.0.10'],
  ] as const
  const request = {
    method: 'GET',
    target: '/openstack',
    headers: new Headers(fields),
    body: new Uint8Array(),
    isSized: false,
  }
  try {
    return (await client.send(request)).status === 200
  } catch {
    return false // nobody listens yet
  }
}

/** Of one core, over some seconds. */
async function cpuPercent(pid: number): Promise<number> {
  const before = cpuMicroseconds(pid)
  await pause(SECONDS * 1_000)
  return (cpuMicroseconds(pid) - before) / (SECONDS * 10_000)
}
