import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { endServers, temporaryDirectory } from '../ovsdb/ovsdb-server.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { noSandbox } from '../support/datapath-machine.ts'
import { type Chassis, openChassis } from './chassis.ts'
import { type Nova, openNova, SECRET } from './nova.ts'
import { type PlayedSouthbound, playSouthbound, type Schema } from './played-southbound.ts'
import { guest, networkId, own, until } from './served-cloud.ts'

/*
 *   chassis-1: Open vSwitch, whose br-int is a plain switch here; the agent
 *   a Southbound whose schema is made from that of the installed OVN, by taking away from it or by adding to it
 */

const REQUESTED = 'no Port_Binding.requested_chassis (since OVN 21.03)'
const ADDITIONAL = 'no Port_Binding.additional_chassis (since OVN 22.06)'
const MIGRATING = 'no Port_Binding.requested_additional_chassis (since OVN 22.06)'
const PRIVATE = 'no Chassis_Private.external_ids (since OVN 20.09)'

function drop({ tables }: Schema, table: string, ...columns: readonly string[]): void {
  for (const column of columns) delete tables[table]?.columns[column]
  if (columns.length === 0) delete tables[table]
}

function ovn2003(schema: Schema): void {
  drop(schema, 'Chassis_Private')
  drop(schema, 'Port_Binding', 'requested_chassis', 'additional_chassis', 'additional_encap', 'up')
  drop(schema, 'Port_Binding', 'requested_additional_chassis', 'mirror_rules', 'port_security')
  schema.version = '2.7.0'
}

interface Release {
  readonly name: string
  readonly change: (schema: Schema) => void
  /** What the agent says that it does without. */
  readonly lacks: readonly string[]
  /** Where it registers. */
  readonly registers: 'Chassis' | 'Chassis_Private'
}

const RELEASES: readonly Release[] = [
  { name: 'OVN 20.03', change: ovn2003, lacks: [REQUESTED, ADDITIONAL, MIGRATING, PRIVATE], registers: 'Chassis' },
  {
    name: 'OVN 21.12',
    change: (schema) => {
      drop(schema, 'Port_Binding', 'additional_chassis', 'additional_encap', 'mirror_rules')
      drop(schema, 'Port_Binding', 'requested_additional_chassis')
    },
    lacks: [ADDITIONAL, MIGRATING],
    registers: 'Chassis_Private',
  },
  {
    name: 'a later OVN, with more and other columns',
    change: (schema) => {
      schema.version = '99.0.0'
      schema.tables['Futures'] = { columns: { name: { type: 'string' } } }
      Object.assign(schema.tables['Port_Binding']?.columns ?? {}, {
        purpose: { type: { key: 'string', value: 'real', min: 0, max: 'unlimited' } },
        tag: { type: { key: 'string', min: 0, max: 'unlimited' } }, // was an integer
        requested_chassis: { type: { key: { type: 'uuid', refTable: 'Chassis', refType: 'weak' }, min: 0, max: 1 } },
      })
      drop(schema, 'Port_Binding', 'nat_addresses')
    },
    lacks: [],
    registers: 'Chassis_Private',
  },
]

describe('the OVN metadata agent and the schema of the Southbound', { skip: noSandbox }, () => {
  const directory = temporaryDirectory()
  let chassis: Chassis
  let nova: Nova
  let agent: Daemon | undefined
  let runs = 0

  before(async () => {
    chassis = await openChassis({ name: 'chassis-1', directory, southbound: 'unix:/nobody', address: '192.0.2.1' })
    await chassis.start('ovs-vswitchd')
    await chassis.vsctl('add-br', 'br-int', '--', 'set', 'Bridge', 'br-int', 'datapath_type=netdev')
    nova = await openNova([chassis.machine])
  })
  after(async () => {
    await agent?.end('SIGINT')
    await nova?.close()
    await chassis?.machine.stop()
    await endServers()
  })

  /** A Southbound with this chassis in it, and an agent that follows it. */
  async function serve(change: (schema: Schema) => void) {
    await agent?.end('SIGINT')
    runs += 1
    const southbound = await playSouthbound(directory, `sb${runs}`, change)
    const options = [`--ovsdb-connection=${chassis.local}`, `--state-dir=${directory}/state`]
    const nova = [`--metadata-proxy-shared-secret=${SECRET}`, `--ovn-sb-connection=${southbound.remote}`]
    agent = startDaemon(chassis.machine, 'ovn-metadata-agent', ...options, ...nova)
    return { southbound, agent, chassisUuid: await southbound.addChassis('chassis-1') }
  }

  async function guestIsServed(southbound: PlayedSouthbound, chassisUuid: string): Promise<void> {
    const it = guest(`guest-${runs}`, networkId(`${runs}5c4e3a0`))
    const datapath = await southbound.addNetwork(it.network)
    await southbound.addPort(it, datapath, { chassis: chassisUuid })
    await chassis.plug({ name: it.name, logicalPort: it.name, mac: it.mac, cidrs: [`${it.address}/24`] })
    const curl = ['curl', '-sS', '--max-time', '0.5', 'http://169.254.169.254/openstack']
    const said = await until(
      () => chassis.inGuest(it.name, ...curl),
      (text) => text === own(it),
    )
    assert.equal(said, own(it), agent?.said())
    await chassis.unplug(it.name)
  }

  /** As a proxy on the chassis would ask for a guest whose packets do not flow yet. */
  function askFor(network: string, address: string): Promise<string> {
    const fields = [`X-OVN-Network-ID: ${network}`, `X-Forwarded-For: ${address}`].flatMap((field) => ['-H', field])
    const socket = ['--unix-socket', `${directory}/state/run/metadata_proxy`]
    return chassis.output('curl', '-sS', '--max-time', '12', ...socket, ...fields, 'http://x/openstack')
  }

  for (const { name, change, lacks, registers } of RELEASES)
    it(`serves a database of ${name}, and says what it does without`, async () => {
      const { southbound, agent, chassisUuid } = await serve(change)
      await guestIsServed(southbound, chassisUuid)
      for (const lack of lacks) assert.ok(agent.said().includes(lack), agent.said())
      assert.equal(agent.said().match(/\(since OVN/g)?.length ?? 0, lacks.length)
      const where = JSON.stringify(['OVN_Southbound', { op: 'select', table: registers, where: [] }])
      const registered = () => chassis.output('ovsdb-client', 'transact', southbound.remote, where)
      const text = await until(registered, (said) => said.includes('neutron:ovn-metadata-sb-cfg'))
      assert.match(text, /"neutron:ovn-metadata-id","b37bb3d3-bea1-56d2-85be-062aa3b9bf45"/)
      await southbound.kill()
    })

  it('takes up what the database learns when it is upgraded under it', async () => {
    const { southbound, agent, chassisUuid } = await serve(ovn2003)
    await guestIsServed(southbound, chassisUuid)
    await southbound.convert(() => undefined)
    await agent.saying('has all that this agent asks for')
    const early = guest('early', networkId('ea410000'), '10.91.0.11')
    const datapath = await southbound.addNetwork(early.network, '10.91.0.2/24')
    await southbound.addPort(early, datapath, { requested_chassis: chassisUuid })
    assert.equal(await askFor(early.network, early.address), own(early), agent.said())
    await southbound.kill()
  })

  it('names a column that it cannot read, keeps trying, and serves when that is mended', async () => {
    const { southbound, agent, chassisUuid } = await serve(({ tables }) => {
      Object.assign(tables['Port_Binding']?.columns ?? {}, { external_ids: { type: 'integer' } })
      drop({ version: '', tables }, 'SB_Global', 'nb_cfg')
    })
    await agent.saying('does not fit')
    assert.match(agent.said(), /no column SB_Global\.nb_cfg/)
    assert.match(agent.said(), /Port_Binding\.external_ids is integer, wanted as map of string to string/)
    await southbound.convert(() => undefined)
    await guestIsServed(southbound, chassisUuid)
  })
})
