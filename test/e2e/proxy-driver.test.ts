import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { bridgeName } from '../../src/inventory/records/network.ts'
import { tapName } from '../../src/inventory/records/port.ts'
import type { RecordSet } from '../../src/inventory/records/records.ts'
import { openSqliteStore } from '../../src/inventory/sql/sqlite.ts'
import { type Daemon, firstboot, startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'

// Guests that open a connection every 20 ms, on each of the sockets there are, while our own and haproxy take turns:
//
//   isolated  169.254.169.254:80 and [fe80::a9fe:a9fe]:80 in qdhcp-...      routed  :::9697 in qrouter-..., by REDIRECT

const INVENTORY = {
  networks: [
    {
      name: 'isolated',
      subnets: [
        { name: 'isolated', cidr: '10.1.0.0/24' },
        { cidr: 'fd00:1::/64', ipv6_address_mode: 'slaac' },
      ],
    },
    { name: 'routed', subnets: [{ name: 'routed', cidr: '10.2.0.0/24' }] },
  ],
  routers: [{ name: 'r', interfaces: ['routed'] }],
  servers: ['isolated', 'routed'].map((network) => ({
    name: network,
    hypervisor: 'external',
    networks: [{ network, fixed_ip: network === 'isolated' ? '10.1.0.50' : '10.2.0.50' }],
  })),
}

const GUESTS = [
  { netns: 'isolated', address: '10.1.0.50', by: '10.1.0.2', hosts: ['169.254.169.254', 'fe80::a9fe:a9fe%eth0'] },
  { netns: 'routed', address: '10.2.0.50', by: '10.2.0.1', hosts: ['169.254.169.254'] },
] as const
type Guest = (typeof GUESTS)[number]

/** Writes a line an answer: its status, or what went wrong. */
const ASKING = `
  const { get } = require('node:http')
  const { appendFileSync } = require('node:fs')
  const [log, ...hosts] = process.argv.slice(1)
  const note = (host, how) => appendFileSync(log, how + ' ' + host + '\\n')
  const ask = (host) => get({ host, path: '/openstack', agent: false, timeout: 20_000 }, (reply) => {
    reply.resume()
    reply.on('end', () => note(host, reply.statusCode))
    reply.on('error', (error) => note(host, error.code))
  }).on('error', (error) => note(host, error.code)).on('timeout', () => note(host, 'nothing'))
  setInterval(() => hosts.forEach(ask), 20)
`

describe('guests that ask all the time', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-driver-'))
  const state = join(directory, 'state')
  let machine: TestMachine
  let up: Daemon

  const logOf = ({ netns }: Guest) => join(directory, `${netns}.log`)
  const answers = (guest: Guest) => readFileSync(logOf(guest), 'utf8').split('\n').filter(Boolean)
  const askOn = async () => {
    for (const guest of GUESTS) {
      const enough = answers(guest).length + 25
      await eventually(`${guest.netns} has asked on`, () => answers(guest).length >= enough)
    }
  }
  const isAnswered = (guest: Guest) =>
    answers(guest)
      .slice(-25)
      .every((line) => line.startsWith('200'))
  const programs = () => machine.run('sh', '-c', 'ps -eo args | grep -c "^haproxy -f .*-db$" || true').trim()

  before(async () => {
    machine = await openTestMachine()
    const file = join(directory, 'inventory.yaml')
    writeFileSync(file, JSON.stringify(INVENTORY))
    up = startDaemon(machine, 'up', '-f', file, '--state-dir', state)
    await up.saying('firstboot is up')
    const store = await openSqliteStore(join(state, 'inventory.sqlite'))
    const { records } = await store.load()
    await store.close()
    for (const guest of GUESTS) {
      plug(machine, guest, records)
      writeFileSync(logOf(guest), '')
      const asking = [process.execPath, '-e', ASKING, logOf(guest), ...guest.hosts]
      machine.start(['ip', 'netns', 'exec', guest.netns, ...asking], { stdio: 'ignore' })
    }
    // Until duplicates of its IPv6 address have been looked for it cannot ask by that.
    for (const guest of GUESTS)
      for (const host of guest.hosts) await eventually(`${host} answers`, () => answers(guest).includes(`200 ${host}`))
    for (const guest of GUESTS) writeFileSync(logOf(guest), '')
  })
  after(async () => {
    await up?.end('SIGINT')
    await machine?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const set = (option: string) => machine.run(...firstboot('datapath', 'set', option, '--state-dir', state))

  for (const turn of [1, 2])
    it(`have every answer while haproxy comes and goes (${turn})`, async () => {
      set('metadata_proxy_driver=haproxy')
      await eventually('a haproxy runs in each namespace, and nothing of ours listens', () => programs() === '3')
      await askOn()
      set('metadata_proxy_driver=native')
      await askOn()
      await eventually('every haproxy has finished', () => programs() === '0', 60_000)
      for (const guest of GUESTS)
        assert.deepEqual([...new Set(answers(guest))].sort(), guest.hosts.map((host) => `200 ${host}`).sort())
    })

  it('are limited as soon as an operator says so, and no longer', async () => {
    set('rate_limit_enabled=true')
    for (const guest of GUESTS)
      for (const host of guest.hosts)
        await eventually(`${host} is limited`, () => answers(guest).includes(`429 ${host}`))
    set('rate_limit_enabled=false')
    for (const guest of GUESTS)
      await eventually(`nothing of ${guest.netns} is refused any more`, () => isAnswered(guest))
  })
})

/** A guest with a static address and the route to metadata that a lease would have given it. */
function plug(machine: TestMachine, { netns, address, by }: Guest, { server, port }: RecordSet): void {
  const [portId = ''] = [...server.values()].find(({ name }) => name === netns)?.portIds ?? []
  const own = port.get(portId) ?? assert.fail(`${netns} has no port`)
  const inside = (...words: string[]) => machine.run('ip', '-n', netns, ...words)
  machine.run('ip', 'netns', 'add', netns)
  machine.run('ip', 'link', 'add', tapName(own), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns)
  machine.run('ip', 'link', 'set', tapName(own), 'master', bridgeName(own.networkId), 'up')
  inside('link', 'set', 'eth0', 'address', own.macAddress, 'up')
  inside('address', 'add', `${address}/24`, 'dev', 'eth0')
  inside('route', 'add', '169.254.169.254/32', 'via', by)
}
