import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Desired } from '../src/datapath/plan.ts'
import { portSecurity } from '../src/datapath/port-security/elements.ts'
import { reconcileOnce, type Settled } from '../src/datapath/reconcile.ts'
import { ipBatch } from '../src/host/iproute.ts'
import { KernelHost } from '../src/host/kernel-host.ts'
import { Listeners } from '../src/host/listeners.ts'
import type { Namespace } from '../src/host/namespace.ts'
import { addNetns, deleteNetns, plugPort } from '../src/host/plug.ts'
import type { IpAddress, MacAddress } from '../src/inventory/records/address.ts'
import type { NetworkId } from '../src/inventory/records/ids.ts'
import { type Port, tapName } from '../src/inventory/records/port.ts'
import { silentLog } from '../src/observe/log.ts'
import { aPort } from '../test/support/network-records.ts'
import type { Benchmark } from './benchmark.ts'
import { median } from './statistics.ts'
import type { Table } from './table.ts'
import { load } from './wrk.ts'

// One network with one guest that is plugged in, and records of many more:
//
//   bench-guest                                         bench-service
//   eth0 10.0.0.10  <-- veth -->  brq-1  <-- veth -->   ns-1 10.0.0.2:80

const COUNT = 1000
const MORE = 20
const PASSES = 500
const ROUNDS = 5
const STATE = '/run/firstboot-bench/port-security'
const NETNS = 'bench-service'
const GUEST = 'bench-guest'
const SERVICE = '10.0.0.2' as IpAddress

export interface PortSecurityFigures {
  readonly ports: number
  readonly allMilliseconds: number
  /** CPU time of a pass with nothing to do, all of it. */
  readonly passMilliseconds: number
  /** From the change of the records until the port is guarded, each. */
  readonly oneMoreMilliseconds: readonly number[]
  /** Until what was written has been read again and found right, each. */
  readonly sureMilliseconds: readonly number[]
  /** Microseconds, by round. */
  readonly latencies: readonly Latencies[]
}

interface Latencies {
  readonly isFresh: boolean
  readonly guarded: number
  readonly unguarded: number
}

export const portSecurityBench: Benchmark = {
  title: `Port security: the table of ${COUNT} ports, one more, and what a request notices of it`,
  async run(say) {
    mkdirSync(STATE, { recursive: true })
    const host = openHost()
    try {
      const figures = await measure(host, say)
      return { tables: tablesOf(figures), notes: NOTES, figures }
    } finally {
      await deleteNetns(GUEST)
      host.close()
    }
  },
}

const NOTES = [
  'A pass looks at everything of this host; there is one network on it. CPU time is that of our process, user and system.',
  'One more port: time on the clock, from the change of the records. nft is started once to write, and once in the pass that reads what came of it.',
  `Latency is the median of one guest that is alone, with wrk; of ${ROUNDS} rounds, each with and without the table in turn, the quietest.`,
]

async function measure(host: KernelHost, say: (line: string) => void): Promise<PortSecurityFigures> {
  const settled: Settled = new WeakMap()
  let desired = desiredFor(portsUpTo(0))
  const pass = async () => {
    const { report } = await reconcileOnce({ host, log: silentLog, desired: () => desired, settled })
    assert.deepEqual(
      report.failed.map(({ cause }) => cause.message),
      [],
    )
    return report.done.length
  }
  const timed = async () => {
    const start = performance.now()
    await pass()
    return performance.now() - start
  }
  const settle = async () => {
    while ((await pass()) > 0);
  }
  await settle()
  await plugGuest()
  say(`guarding ${COUNT} ports`)
  desired = desiredFor(portsUpTo(COUNT))
  const allMilliseconds = await timed()
  await settle()
  say(`${PASSES} passes with nothing to do`)
  const before = process.cpuUsage()
  for (let i = 0; i < PASSES; i++) assert.equal(await pass(), 0)
  const { user, system } = process.cpuUsage(before)
  const passMilliseconds = (user + system) / 1000 / PASSES
  say('one more, and again')
  const [oneMoreMilliseconds, sureMilliseconds]: [number[], number[]] = [[], []]
  for (let i = 1; i <= MORE; i++) {
    const start = performance.now()
    desired = desiredFor(portsUpTo(COUNT + i))
    assert.equal(await pass(), 1)
    oneMoreMilliseconds.push(performance.now() - start)
    assert.equal(await pass(), 0)
    sureMilliseconds.push(performance.now() - start)
  }
  say('requests')
  const latencies: Latencies[] = []
  for (let round = 0; round < ROUNDS; round++) {
    for (const isFresh of [false, true]) {
      desired = desiredFor(portsUpTo(COUNT))
      await settle()
      const guarded = await latency(isFresh)
      desired = { ...desired, portSecurity: undefined }
      await settle()
      latencies.push({ isFresh, guarded, unguarded: await latency(isFresh) })
    }
  }
  return { ports: COUNT, allMilliseconds, passMilliseconds, oneMoreMilliseconds, sureMilliseconds, latencies }
}

async function latency(isFresh: boolean): Promise<number> {
  const url = `http://${SERVICE}/`
  return (await load({ netns: GUEST, core: 1, url, connections: 1, seconds: 1, isFresh })).p50
}

const made: Port[] = []

/** The first is the guest's. */
function portsUpTo(count: number): readonly Port[] {
  while (made.length <= count) {
    const number = made.length
    const id = `b${number.toString(16).padStart(7, '0')}-0000-4000-8000-000000000000`
    made.push(aPort(id, [`s=10.0.${Math.floor(number / 200)}.${(number % 200) + 10}`]))
  }
  return made.slice(0, count + 1)
}

async function plugGuest(): Promise<void> {
  const [port = assert.fail()] = portsUpTo(0)
  await addNetns(GUEST)
  await plugPort({ bridge: 'brq-1', tap: tapName(port), netns: GUEST, inner: 'eth0', mac: port.macAddress, mtu: 1450 })
  const commands = ['address add 10.0.0.10/16 dev eth0', 'link set eth0 up']
  await ipBatch(
    commands.map((command) => command.split(' ')),
    GUEST,
  )
}

function desiredFor(ports: readonly Port[]): Desired {
  return {
    bridges: new Map([['brq-1', { name: 'brq-1', mtu: 1450 }]]),
    namespaces: new Map([[NETNS, service]]),
    portSecurity: portSecurity(ports),
    networks: undefined,
  }
}

const service: Namespace = {
  name: NETNS,
  sysctls: {},
  devices: [
    {
      name: 'ns-1',
      peer: 'tap-1',
      bridge: 'brq-1',
      mac: 'fa:16:3e:be:0c:02' as MacAddress,
      mtu: 1450,
      addresses: [`${SERVICE}/16`],
    },
  ],
  routes: [],
  firewall: { 4: [], 6: [] },
  listeners: [{ address: SERVICE, port: 80, device: null, stamp: { networkId: 'bench' as NetworkId } }],
  programs: [],
}

function openHost(): KernelHost {
  return new KernelHost({
    netnsPrefixes: [NETNS],
    bridgePrefix: 'brq',
    statePath: STATE,
    sysctls: [],
    sockets: new Listeners((fd) => {
      const server = createServer((_, reply) => reply.end('hello'))
      server.listen({ fd })
      return async () => {
        server.close()
        server.closeAllConnections()
      }
    }),
    warn: (what) => assert.fail(what),
  })
}

function tablesOf(figures: PortSecurityFigures): readonly Table[] {
  const { ports, allMilliseconds, passMilliseconds, oneMoreMilliseconds, sureMilliseconds, latencies } = figures
  const best = (isFresh: boolean, of: 'guarded' | 'unguarded') =>
    `${Math.min(...latencies.filter((each) => each.isFresh === isFresh).map((each) => each[of]))} µs`
  return [
    {
      caption: 'Time',
      rows: [
        ['what', 'figure'],
        [`${ports} ports, from nothing`, `${allMilliseconds.toFixed(0)} ms`],
        ['CPU of a pass with nothing to do', `${passMilliseconds.toFixed(2)} ms`],
        ['one more, median', `${median(oneMoreMilliseconds).toFixed(0)} ms`],
        ['one more, slowest', `${Math.max(...oneMoreMilliseconds).toFixed(0)} ms`],
        ['and read again, median', `${median(sureMilliseconds).toFixed(0)} ms`],
      ],
    },
    {
      caption: 'Latency of a request',
      rows: [
        ['connection', 'with the table', 'without'],
        ['kept', best(false, 'guarded'), best(false, 'unguarded')],
        ['new', best(true, 'guarded'), best(true, 'unguarded')],
      ],
    },
  ]
}
