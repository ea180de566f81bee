import { setTimeout as pause } from 'node:timers/promises'
import { type HttpClient, openHttpClient } from '../src/http/client.ts'
import { Headers } from '../src/http/messages.ts'
import type { OvsdbClient, Uuid } from '../src/ovsdb/ovsdb.ts'
import { openNova } from '../test/ovn/nova.ts'
import type { Benchmark } from './benchmark.ts'
import { type Agent, firstbootAgent, type Kind, neutronAgent, neutronProblem, neutronVersion } from './ovn-agents.ts'
import { type BenchCloud, openBenchCloud, type Place } from './ovn-cloud.ts'
import { provisioning } from './ovn-provisioning.ts'
import { type OvnFigures, ovnTables, type Start } from './ovn-tables.ts'
import { groupCpuMicroseconds, groupPssKibibytes } from './process-usage.ts'
import { CHANGES_A_SECOND, churn, fillSouthbound, openWriter, PORTS_EACH, portsOf } from './southbound.ts'

/** Of the whole cloud, on networks of 50: FIRSTBOOT_BENCH_ROWS, for who develops and does not want to wait. */
const FOREIGN_ROWS = Number(process.env['FIRSTBOOT_BENCH_ROWS'] ?? 100_000)
const REQUESTS = 500
const REQUESTS_MILLISECONDS = 20_000
const SECONDS = 10
/** neutron's agent was seen to need 192 s for 100,000 rows. */
const START_MILLISECONDS = 900_000
/** For what an agent does right after its start, and goes on doing while guests are answered. */
const SETTLE_MILLISECONDS = 5_000

export const ovn: Benchmark = {
  title: 'ovn: the metadata agent of one chassis, and the size of the cloud',
  async run(say) {
    const problem = await neutronProblem()
    if (problem !== undefined) say(problem)
    const cloud = await openBenchCloud()
    const nova = await openNova(cloud.chassis.map(({ machine }) => machine))
    const writer = await openWriter(cloud.southbound.remote)
    try {
      const [ours, theirs] = cloud.places
      const runs = [{ kind: firstbootAgent, place: ours, other: theirs }]
      if (problem === undefined) runs.push({ kind: neutronAgent, place: theirs, other: ours })
      const small = await portsOf(writer)
      const figures: OvnFigures[] = []
      for (const { kind, place, other } of runs) {
        const elsewhere = small.filter(({ logical_port }) => logical_port.startsWith(other.prefix))
        figures.push(
          await measure({
            cloud,
            kind,
            place,
            writer,
            rows: small.length,
            elsewhere: elsewhere.map(({ _uuid }) => _uuid),
            say,
          }),
        )
      }
      const elsewhere = await fillSouthbound(writer, FOREIGN_ROWS / PORTS_EACH)
      cloud.southbound.control('ovsdb-server/compact') // or the server would do so while it is measured
      const rows = small.length + elsewhere.length
      for (const { kind, place } of runs)
        figures.push(await measure({ cloud, kind, place, writer, rows, elsewhere, say }))
      const version = problem === undefined ? await neutronVersion() : undefined
      return { ...ovnTables(figures, { neutron: version, problem }), figures }
    } finally {
      await writer.close()
      await nova.close()
      await cloud.close()
    }
  },
}

interface Measurement {
  readonly cloud: BenchCloud
  readonly kind: Kind
  readonly place: Place
  readonly writer: OvsdbClient
  readonly rows: number
  /** Ports that do not concern this chassis. */
  readonly elsewhere: readonly Uuid[]
  readonly say: (line: string) => void
}

async function measure({ cloud, kind, place, writer, rows, elsewhere, say }: Measurement): Promise<OvnFigures> {
  say(`${kind.name} beside ${rows} rows`)
  const starts: Start[] = []
  const start = async () => {
    const started = await startAgent(kind, place, cloud)
    starts.push(started.start)
    return started
  }
  while (starts.length < kind.starts - 1) await (await start()).end()
  const { agent, client, end: endAgent } = await start()
  try {
    await pause(SETTLE_MILLISECONDS)
    const microsecondsARequest = await cpuOfRequest(agent, client, place)
    const restCpuPercent = await cpuPercent(agent)
    const provisioned = await provisioning(place, cloud.southbound.remote)
    say(`${provisioned.length} networks were provisioned`)
    const processes = agent.processes()
    const memory = groupPssKibibytes(processes)
    const end = churn(writer, elsewhere, CHANGES_A_SECOND)
    const churnCpuPercent = await cpuPercent(agent)
    const changesASecond = (await end()) / SECONDS
    say(`${Math.round(changesASecond)} changes a second were made`)
    return {
      agent: kind.name,
      rows,
      starts,
      pssKibibytes: memory,
      processes: processes.size,
      microsecondsARequest,
      restCpuPercent,
      churnCpuPercent,
      changesASecond,
      provisioned,
    }
  } finally {
    await endAgent()
  }
}

/** An agent that has answered. */
interface Started {
  readonly agent: Agent
  readonly client: HttpClient
  readonly start: Start
  readonly end: () => Promise<void>
}

async function startAgent(kind: Kind, place: Place, cloud: BenchCloud): Promise<Started> {
  const began = performance.now()
  const agent = kind.start(place.chassis, cloud.directory, cloud.southbound.remote)
  const client = openHttpClient([{ socketPath: agent.socket }], { limits: { hold: 0, answer: 120_000 } })
  const end = async () => {
    await client.close()
    await agent.end()
  }
  try {
    await firstAnswer(client, place)
    const milliseconds = performance.now() - began
    return {
      agent,
      client,
      start: { milliseconds, cpuMilliseconds: groupCpuMicroseconds(agent.processes()) / 1_000 },
      end,
    }
  } catch (error) {
    await end()
    throw error
  }
}

async function firstAnswer(client: HttpClient, place: Place): Promise<void> {
  const end = performance.now() + START_MILLISECONDS
  while (!(await isAnswered(client, place))) {
    if (performance.now() > end) throw new Error('The agent does not answer')
    await pause(5)
  }
}

/** As the haproxy of the network sends it. */
async function isAnswered(client: HttpClient, { network, address }: Place): Promise<boolean> {
  const fields = [
    ['x-ovn-network-id', network],
    ['x-forwarded-for', address],
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

async function cpuOfRequest(agent: Agent, client: HttpClient, place: Place): Promise<number> {
  const end = performance.now() + REQUESTS_MILLISECONDS
  const before = groupCpuMicroseconds(agent.processes())
  let asked = 0
  for (; asked < REQUESTS && performance.now() < end; asked += 1) await isAnswered(client, place)
  return (groupCpuMicroseconds(agent.processes()) - before) / asked
}

/** Of one core, over some seconds. */
async function cpuPercent(agent: Agent): Promise<number> {
  const before = groupCpuMicroseconds(agent.processes())
  await pause(SECONDS * 1_000)
  return (groupCpuMicroseconds(agent.processes()) - before) / (SECONDS * 10_000)
}
