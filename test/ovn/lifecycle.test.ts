import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createDatabase, type OvsdbServer, ovsdbServer } from '../ovsdb/ovsdb-server.ts'
import { firstboot, startDaemon } from '../support/daemon.ts'
import { noSandbox } from '../support/datapath-machine.ts'
import { eventually } from '../support/eventually.ts'
import { schemaOf } from './cloud.ts'
import { guest, networkId, openServedCloud, type ServedCloud, until } from './served-cloud.ts'

// What a start and an end leave of a chassis while a database is away, or does not answer.

const INVENTORY = fileURLToPath(new URL('standalone.yaml', import.meta.url))
const NOBODY = '--ovn-sb-connection=unix:/nobody/sb.sock'

describe('the end and the beginning beside databases that do not answer', { skip: noSandbox }, () => {
  const resident = guest('resident', networkId('4e510e47'))
  const netns = `ovnmeta-${resident.network}`
  let served: ServedCloud<OvsdbServer>
  const one = () => served.cloud.chassis[0]
  const ours = (...args: readonly string[]) =>
    one().output(...firstboot(...args, `--state-dir=${served.stateOf(one())}`))
  const isThere = () => served.namespaces(one()).includes(netns)
  const ports = () => one().vsctl('list-ports', 'br-int')
  const running = () =>
    one().machine.run('sh', '-c', 'ps -eo args | grep -E "socket-keeper|metadata-proxy" | grep -v grep || true')

  before(async () => {
    served = await openServedCloud()
    await served.addNetwork(resident.network)
    await served.startAgent(one())
    await served.addGuest(one(), resident)
    await served.getsAnswer(one(), resident)
  })
  after(() => served?.close())

  it('leaves what an earlier run serves alone, whatever is asked, until the Southbound is known', async () => {
    assert.equal(await served.agentOf(one()).end('SIGTERM'), 0)
    const agent = served.launchAgent(one(), NOBODY)
    const waits = /waited for\. OVN_Southbound: it is not connected: /
    const said = await until(
      () => ours('datapath', 'status'),
      (text) => waits.test(text),
    )
    assert.match(said, waits)
    assert.match(await ours('datapath', 'plan'), waits)
    assert.match(await ours('datapath', 'set', 'base_window_duration=11'), /base_window_duration: 10 -> 11/)
    assert.match(await ours('datapath', 'status'), waits)
    assert.ok(isThere(), agent.said())
    assert.equal(await agent.end('SIGTERM'), 0, agent.said())
    assert.ok(isThere(), agent.said())
  })

  it('takes all away at Ctrl-C before the Southbound is known', async () => {
    const agent = served.launchAgent(one(), NOBODY)
    await agent.saying('database is not connected')
    assert.equal(await agent.end('SIGINT'), 0, agent.said())
    assert.ok(!isThere(), agent.said())
    assert.doesNotMatch(await ports(), /tap4e510e47/)
    assert.equal(running(), '')
  })

  it('takes what it can away at Ctrl-C without the local database, names the rest, and the next run takes that', async () => {
    await served.startAgent(one())
    await served.getsAnswer(one(), resident)
    await served.agentOf(one()).end('SIGTERM')
    await one().kill('ovsdb-server')
    const agent = served.launchAgent(one())
    await agent.saying('database is not connected')
    assert.equal(await agent.end('SIGINT'), 0, agent.said())
    assert.ok(!isThere(), agent.said())
    assert.match(agent.said(), /these ports stay in it: tap4e510e47/)
    assert.equal(running(), '')
    await one().start('ovsdb-server')
    assert.match(await ports(), /tap4e510e47/)
    await one().unplug(resident.name)
    await served.startAgent(one())
    await eventually('the port is swept', async () => !/tap4e510e47/.test(await ports()))
    assert.equal(await served.agentOf(one()).end('SIGINT'), 0)
  })

  it('waits for ovn-remote as for a name, and says when it is another one', async () => {
    await one().vsctl('remove', 'Open_vSwitch', '.', 'external_ids', 'ovn-remote')
    const agent = served.launchAgent(one())
    await agent.saying('has no ovn-remote yet: waiting for one')
    assert.match(await ours('datapath', 'status'), /waited for\. OVN_Southbound: .* has no ovn-remote yet/)
    const set = (remote: string) => one().vsctl('set', 'Open_vSwitch', '.', `external_ids:ovn-remote="${remote}"`)
    await set(served.cloud.southbound.remote)
    await agent.saying('serves the networks of chassis chassis-1')
    await set('unix:/another')
    await agent.saying('(ovn-remote) is another one: restart this agent')
    await set(served.cloud.southbound.remote)
    await agent.saying('(ovn-remote) is what it was again')
    assert.equal(agent.said().split('is another one').length, 2)
    await agent.end('SIGINT')
  })

  it('ends whom it started when it cannot start', async () => {
    const agent = served.launchAgent(one(), '--metrics-listen=203.0.113.9:9464')
    assert.equal(await agent.end('SIGWINCH'), 1, agent.said())
    assert.equal(running(), '')
  })

  it('up ends in time while the Northbound does not answer, and says what stays there', async () => {
    const { directory } = served.cloud
    const northbound = ovsdbServer(directory, createDatabase(directory, schemaOf('nb'), 'alone'), { name: 'alone' })
    await northbound.start()
    const start = (state: string, remote: string) =>
      startDaemon(
        one().machine,
        'up',
        '--datapath=ovn',
        `--state-dir=${join(directory, state)}`,
        `--ovsdb-connection=${one().local}`,
        `--ovn-nb-connection=${remote}`,
        `--file=${INVENTORY}`,
      )
    const up = start('state-up', northbound.remote)
    await up.saying('firstboot is up')
    await served.plug(one(), resident)
    await eventually('the network is served', isThere)
    const early = start('state-early', 'unix:/nobody/nb.sock')
    await early.saying('database is not connected')
    northbound.freeze(true)
    const begun = performance.now()
    assert.deepEqual(await Promise.all([up.end('SIGINT'), early.end('SIGINT')]), [0, 0], up.said() + early.said())
    assert.ok(performance.now() - begun < 15_000)
    for (const { said } of [up, early])
      assert.match(said(), /could not be cleared: it has not answered within 5 s\. Rows .* stay in it/)
    assert.ok(!isThere(), up.said())
    assert.equal(running(), '')
  })
})
