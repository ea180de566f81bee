import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { reconcileOnce, type Settled } from '../src/datapath/reconcile.ts'
import { KernelHost } from '../src/host/kernel-host.ts'
import { Listeners } from '../src/host/listeners.ts'
import type { Bridge, Namespace } from '../src/host/namespace.ts'
import { netnsPath } from '../src/host/netns.ts'
import { askFrom } from '../src/host/probe/visitor.ts'
import { runProgram } from '../src/host/programs.ts'
import type { Cidr, IpAddress, MacAddress } from '../src/inventory/records/address.ts'
import { silentLog } from '../src/observe/log.ts'
import type { Benchmark } from './benchmark.ts'
import { type BenchNetwork, benchNetworks, listenersOf } from './many-networks.ts'
import type { Table } from './table.ts'

/** Networks kept, each with a bridge, a namespace, a veth pair, two sockets and a dnsmasq. */
const COUNT = 1000
/** Added one by one when the others are there. */
const MORE = 10
const PASSES = 50
/** How often the reconciler looks. */
const PERIOD_MILLISECONDS = 2_000
const QUIET_MILLISECONDS = 20_000

const STATE = '/run/firstboot-bench/datapath'
const SYSCTLS = { 'net.ipv4.ip_nonlocal_bind': '1', 'net.ipv4.conf.all.promote_secondaries': '1' }

export interface DatapathFigures {
  readonly networks: number
  /** From nothing to all of them. */
  readonly allMilliseconds: number
  /** From the first command of one more to its first answer, each. */
  readonly oneMoreMilliseconds: readonly number[]
  /** CPU time of a pass with nothing to do: looking at everything, and comparing it. */
  readonly passMilliseconds: number
  /** CPU time between passes, a second of it: hearing of changes that do not come. */
  readonly quietMillisecondsPerSecond: number
}

/** @returns how much there was to do */
type Pass = () => Promise<number>

export const datapath: Benchmark = {
  title: `The datapath: ${COUNT} networks on the kernel, one more, and nothing to do`,
  async run(say) {
    mkdirSync(STATE, { recursive: true })
    const host = openHost()
    host.onDrift(() => undefined) // else it would not listen for any
    try {
      const figures = await measure(host, say)
      return { tables: [tableOf(figures)], notes: NOTES, figures }
    } finally {
      host.close()
    }
  },
}

const NOTES = [
  'CPU time is that of our process, user and system. The programs it starts (`ip`, dnsmasq) are in the time on the clock alone.',
  'One more network: from its first command until a request from inside its namespace was answered: the start of dnsmasq is in it, the working out of what is wanted is not.',
  `Share of a core: a pass every ${PERIOD_MILLISECONDS / 1000} s, and what hearing of changes costs between passes.`,
]

async function measure(host: KernelHost, say: (line: string) => void): Promise<DatapathFigures> {
  const networks = benchNetworks(COUNT + MORE)
  const wanted = new Map(networks.slice(0, COUNT).map((network, i) => [network.netns, namespaceOf(network, i)]))
  const pass = passes(host, wanted)
  say(`making ${COUNT} networks`)
  const start = performance.now()
  await pass()
  const allMilliseconds = performance.now() - start
  // The kernel goes on for a while: it announces addresses that it has made sure of.
  do await pause(PERIOD_MILLISECONDS)
  while ((await pass()) > 0)
  say(`${PASSES} passes with nothing to do`)
  const before = process.cpuUsage()
  for (let i = 0; i < PASSES; i++) assert.equal(await pass(), 0)
  const passMilliseconds = cpuMilliseconds(before) / PASSES
  say('nothing at all')
  const quiet = process.cpuUsage()
  await pause(QUIET_MILLISECONDS)
  const quietMillisecondsPerSecond = cpuMilliseconds(quiet) / (QUIET_MILLISECONDS / 1000)
  say('one more network, and again')
  const oneMoreMilliseconds: number[] = []
  for (const [i, network] of networks.slice(COUNT).entries()) {
    wanted.set(network.netns, namespaceOf(network, COUNT + i))
    oneMoreMilliseconds.push(await timeToAnswer(pass, network))
  }
  return { networks: COUNT, allMilliseconds, oneMoreMilliseconds, passMilliseconds, quietMillisecondsPerSecond }
}

async function timeToAnswer(pass: Pass, { netns, id }: BenchNetwork): Promise<number> {
  const start = performance.now()
  await pass()
  const said = await askFrom(netnsPath(netns), '169.254.169.254' as IpAddress, 80, '/', 10_000)
  const milliseconds = performance.now() - start
  assert.equal(said.outcome === 'answered' && said.status, 200)
  // Its own network's answer, and nobody else's.
  const curl = ['curl', '--silent', '--max-time', '10', 'http://169.254.169.254/']
  assert.equal((await runProgram('ip', ['netns', 'exec', netns, ...curl])).stdout, id)
  return milliseconds
}

function passes(host: KernelHost, wanted: ReadonlyMap<string, Namespace>): Pass {
  const settled: Settled = new WeakMap()
  const desired = () => ({
    bridges: bridgesOf(wanted),
    namespaces: wanted,
    networks: undefined,
    portSecurity: undefined,
  })
  return async () => {
    const { report } = await reconcileOnce({ host, log: silentLog, desired, settled })
    assert.deepEqual(
      report.failed.map(({ cause }) => cause.message),
      [],
    )
    return report.done.length
  }
}

function bridgesOf(wanted: ReadonlyMap<string, Namespace>): ReadonlyMap<string, Bridge> {
  const devices = [...wanted.values()].flatMap((namespace) => namespace.devices)
  return new Map(devices.map(({ bridge, mtu }) => [bridge, { name: bridge, mtu }]))
}

function namespaceOf(network: BenchNetwork, index: number): Namespace {
  const { netns, device, tap } = network
  const digits = (index + 1)
    .toString(16)
    .padStart(6, '0')
    .replaceAll(/..(?=.)/g, '$&:')
  const directory = `${STATE}/dhcp/${netns}`
  const address = '10.0.0.2' as IpAddress
  return {
    name: netns,
    sysctls: SYSCTLS,
    devices: [
      {
        name: device,
        peer: tap,
        bridge: `brq-${index + 1}`,
        mac: `fa:16:3e:${digits}` as MacAddress,
        mtu: 1450,
        addresses: [`${address}/24`, '169.254.169.254/32', 'fe80::a9fe:a9fe/64'],
      },
    ],
    routes: [{ destination: '0.0.0.0/0' as Cidr, gateway: '10.0.0.1' as IpAddress, device }],
    firewall: { 4: [], 6: [] },
    listeners: listenersOf(network),
    programs: [
      {
        kind: 'dnsmasq',
        directory,
        arguments: [
          '--no-hosts',
          '--no-resolv',
          `--pid-file=${directory}/pid`,
          `--dhcp-hostsfile=${directory}/host`,
          `--addn-hosts=${directory}/addn_hosts`,
          `--dhcp-optsfile=${directory}/opts`,
          `--dhcp-leasefile=${directory}/leases`,
          '--bind-interfaces',
          `--interface=${device}`,
          '--dhcp-range=10.0.0.0,static,255.255.255.0,86400s',
          '--conf-file=',
        ],
        files: { host: '', addn_hosts: '', opts: '' },
        initialLeases: [],
        leaseDuration: 86_400,
      },
    ],
  }
}

function openHost(): KernelHost {
  return new KernelHost({
    netnsPrefixes: ['bench-'],
    bridgePrefix: 'brq',
    statePath: STATE,
    sysctls: Object.keys(SYSCTLS),
    sockets: new Listeners((fd, { stamp }) => {
      const answer = 'networkId' in stamp ? stamp.networkId : stamp.routerId
      // Each server looks for slow connections by itself. That is the cost of whoever answers, another process in `up`.
      const server = createServer({ connectionsCheckingInterval: 2 ** 31 - 1 }, (_, reply) => reply.end(answer))
      server.listen({ fd })
      return async () => {
        server.close()
        server.closeAllConnections()
      }
    }),
    warn: (what) => assert.fail(what),
  })
}

function cpuMilliseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

function tableOf(figures: DatapathFigures): Table {
  const { networks, allMilliseconds, oneMoreMilliseconds, passMilliseconds, quietMillisecondsPerSecond } = figures
  const sorted = oneMoreMilliseconds.toSorted((a, b) => a - b)
  const share = passMilliseconds / PERIOD_MILLISECONDS + quietMillisecondsPerSecond / 1000
  return {
    caption: 'Time',
    rows: [
      ['what', 'figure'],
      [`${networks} networks, from nothing`, `${(allMilliseconds / 1000).toFixed(1)} s`],
      ['one more, quickest', `${sorted[0]?.toFixed(0)} ms`],
      ['one more, median', `${sorted[sorted.length >> 1]?.toFixed(0)} ms`],
      ['one more, slowest', `${sorted.at(-1)?.toFixed(0)} ms`],
      ['CPU of a pass with nothing to do', `${passMilliseconds.toFixed(1)} ms`],
      ['CPU between passes', `${quietMillisecondsPerSecond.toFixed(1)} ms a second`],
      ['share of a core', `${(share * 100).toFixed(2)} %`],
    ],
  }
}
