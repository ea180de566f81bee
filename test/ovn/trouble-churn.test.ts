import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  insert,
  integer,
  map,
  openOvsdb,
  optional,
  reference,
  set,
  table,
  text,
  update,
} from '../../src/ovsdb/ovsdb.ts'
import { endServers, temporaryDirectory } from '../ovsdb/ovsdb-server.ts'
import { openRelay, type Relay } from '../ovsdb/relay.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { noSandbox } from '../support/datapath-machine.ts'
import { type Chassis, openChassis } from './chassis.ts'
import { type Nova, openNova, SECRET } from './nova.ts'
import { type PlayedSouthbound, playSouthbound } from './played-southbound.ts'
import { type Guest, guest, networkId, own, until } from './served-cloud.ts'

/*
 *   chassis-1: one guest, its br-int a plain switch; the agent follows the Southbound by a relay, which sees what it is sent
 *   the Southbound: 2,000 ports of other chassis, which change all the time
 */

const PORTS = 2_000
const CHANGES = 8_000
/** So many rows in one transaction, as ovn-northd writes them. */
const AT_ONCE = 200

const PORT = table('Port_Binding', {
  logical_port: text, tunnel_key: integer, datapath: reference, chassis: optional(reference), mac: set(text), external_ids: map(text, text),
}) // biome-ignore format: a column after the other

describe('the OVN metadata agent in a cloud where much happens elsewhere', { skip: noSandbox }, () => {
  const directory = temporaryDirectory()
  const [local, late] = [guest('local', networkId('10ca1')), guest('late', networkId('10ca1'), '10.88.0.12')]
  let chassis: Chassis
  let nova: Nova
  let agent: Daemon
  let southbound: PlayedSouthbound
  let relay: Relay
  let ours = ''
  let datapath = ''

  before(async () => {
    chassis = await openChassis({ name: 'chassis-1', directory, southbound: 'unix:/nobody', address: '192.0.2.1' })
    await chassis.start('ovs-vswitchd')
    await chassis.vsctl('add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', 'datapath_type=netdev')
    nova = await openNova([chassis.machine])
    southbound = await playSouthbound(directory, 'sb')
    relay = await openRelay(directory, southbound.remote.slice('unix:'.length))
    ours = await southbound.addChassis('chassis-1')
    datapath = await southbound.addNetwork(local.network)
    await southbound.addPort(local, datapath, { chassis: ours })
    const options = [`--ovsdb-connection=${chassis.local}`, `--state-dir=${directory}/state`]
    const remotes = [`--metadata-proxy-shared-secret=${SECRET}`, `--ovn-sb-connection=${relay.remote}`]
    agent = startDaemon(chassis.machine, 'ovn-metadata-agent', ...options, ...remotes)
    await agent.saying('serves the networks')
    await plug(local)
    assert.equal(
      await until(
        () => ask(local),
        (said) => said === own(local),
      ),
      own(local),
      agent.said(),
    )
  })
  after(async () => {
    await agent?.end('SIGINT')
    await relay?.close()
    await nova?.close()
    await chassis?.machine.stop()
    await endServers()
  })

  const plug = ({ name, mac, address }: Guest) =>
    chassis.plug({ name, logicalPort: name, mac, cidrs: [`${address}/24`] })
  const ask = ({ name }: Guest) =>
    chassis.inGuest(name, 'curl', '-sS', '--max-time', '5', 'http://169.254.169.254/openstack')

  /** Of all processes of the agent, in seconds. */
  function processorTime(): number {
    const pids = chassis.machine.run('pgrep', '-f', 'firstboot.js').trim().split('\n')
    return pids.reduce((sum, pid) => sum + ticksOf(chassis.machine.run('cat', `/proc/${pid}/stat`)) / 100, 0)
  }

  it('is sent nothing of it, uses no processor time for it, and answers meanwhile', async (test) => {
    const elsewhere = await southbound.addChassis('elsewhere')
    const theirs = await southbound.addNetwork(networkId('e15e'))
    const cloud = openOvsdb({ remotes: southbound.remote, database: 'OVN_Southbound', tables: [PORT] })
    void cloud.setCondition(PORT, false)
    await cloud.synchronized()
    const numbers = Array.from({ length: PORTS }, (_, i) => i)
    const batches = (of: readonly number[]) =>
      Array.from({ length: of.length / AT_ONCE }, (_, i) => of.slice(i * AT_ONCE, (i + 1) * AT_ONCE))
    const row = (i: number) => ({
      ...{ logical_port: `far-${i}`, tunnel_key: i + 10, datapath: theirs as never, chassis: elsewhere as never },
      ...{ mac: [`fa:16:3f:00:${hex(i >> 8)}:${hex(i & 255)} 10.1.${i >> 8}.${i & 255}`], external_ids: new Map() },
    })
    for (const batch of batches(numbers)) await cloud.transact(...batch.map((i) => insert(PORT, row(i))))

    relay.take()
    const [usedBefore, began] = [processorTime(), performance.now()]
    const taken: number[] = []
    let changes = 0
    let isAsking = true
    const asking = (async () => {
      while (isAsking) {
        const start = performance.now()
        assert.equal(await ask(local), own(local), agent.said())
        taken.push(performance.now() - start)
      }
    })()
    for (; changes < CHANGES; changes += AT_ONCE) {
      const turn = new Map([['turn', String(changes)]])
      const batch = batches(numbers)[(changes / AT_ONCE) % (PORTS / AT_ONCE)] ?? []
      await cloud.transact(
        ...batch.map((i) => update(PORT, [['logical_port', '==', `far-${i}`]], { external_ids: turn })),
      )
    }
    isAsking = false
    await asking
    const seconds = (performance.now() - began) / 1_000
    const used = processorTime() - usedBefore
    const sent = relay.take().filter(({ method }) => String(method).startsWith('update'))
    taken.sort((a, b) => a - b)
    test.diagnostic(
      `${Math.round(changes / seconds)} changes a second for ${seconds.toFixed(1)} s; ${taken.length} answers, median ${Math.round(taken[taken.length >> 1] ?? 0)} ms, slowest ${Math.round(taken.at(-1) ?? 0)} ms; the agent used ${(used * 1_000).toFixed(0)} ms of processor time, ${((used / taken.length) * 1_000).toFixed(1)} ms an answer`,
    )
    assert.deepEqual(sent, [])
    // What it costs to answer, and not what it costs to hear of all those rows.
    assert.ok(used < 0.5 + taken.length * 0.05, `${used} s`)
    await cloud.close()
  })

  it('hears at once of a port that concerns it', async () => {
    await southbound.addPort(late, datapath, { chassis: ours })
    await plug(late)
    assert.equal(
      await until(
        () => ask(late),
        (said) => said === own(late),
      ),
      own(late),
      agent.said(),
    )
  })
})

/** utime and stime of proc(5). */
function ticksOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}
