import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createDatabase, endServers, ovsdbServer, temporaryDirectory } from '../../../test/ovsdb/ovsdb-server.ts'
import { eventually } from '../../../test/support/eventually.ts'
import { type IpAddress, type MacAddress, parseIpAddress } from '../../inventory/records/address.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import {
  insert,
  integer,
  map,
  type OvsdbClient,
  openOvsdb,
  optional,
  reference,
  remove,
  set,
  table,
  text,
  type Uuid,
  update,
} from '../../ovsdb/ovsdb.ts'
import { readEarlyRows } from './early-rows.ts'
import { findPorts } from './find-ports.ts'
import { followChassis } from './follow-chassis.ts'
import { localNetworks } from './local-networks.ts'
import { CHASSIS, CHASSIS_PRIVATE, DATAPATH_BINDING, PORT_BINDING, SB_GLOBAL } from './southbound.ts'

// OVN 23.03's own schema, on a real server; northd and ovn-controller are played by this test.
const SCHEMA = fileURLToPath(new URL('../../../test/golden/ovn/ovn-sb.ovsschema', import.meta.url))
const OURS = 'chassis-1'

const ENCAP = table('Encap', { type: text, ip: text, chassis_name: text })
const NEW_CHASSIS = table('Chassis', { name: text, encaps: set(reference) })
const NEW_DATAPATH = table('Datapath_Binding', { tunnel_key: integer, external_ids: map(text, text) })
const NEW_PORT = table('Port_Binding', {
  logical_port: text, type: text, tunnel_key: integer, datapath: reference, chassis: optional(reference),
  additional_chassis: set(reference), requested_chassis: optional(reference), requested_additional_chassis: set(reference), mac: set(text), external_ids: map(text, text),
}) // biome-ignore format: a column after the other

const [NET_A, NET_B, NET_C] = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc'].map(
  (part) => `${part}-0000-4000-8000-000000000000` as NetworkId,
) as [NetworkId, NetworkId, NetworkId]

const directory = temporaryDirectory()
const server = ovsdbServer(directory, createDatabase(directory, SCHEMA))
let cloud: OvsdbClient
let agent: OvsdbClient
let following: ReturnType<typeof followChassis>
const chassis = new Map<string, Uuid>()
const datapaths = new Map<string, Uuid>()
let tunnelKey = 0

before(async () => {
  await server.start()
  cloud = openOvsdb({ remotes: server.remote, database: 'OVN_Southbound', tables: [NEW_PORT] })
  await cloud.synchronized()
  for (const name of [OURS, 'chassis-2']) {
    const [, uuid] = await cloud.transact(
      insert(ENCAP, { type: 'geneve', ip: `192.0.2.${chassis.size + 1}`, chassis_name: name }, { name: 'encap' }),
      insert(NEW_CHASSIS, { name, encaps: [{ namedUuid: 'encap' }] }),
    )
    chassis.set(name, uuid)
  }
  for (const id of [NET_A, NET_B, NET_C]) {
    const external_ids = new Map([['name', `neutron-${id}`]])
    const [uuid] = await cloud.transact(insert(NEW_DATAPATH, { tunnel_key: datapaths.size + 1, external_ids }))
    datapaths.set(id, uuid)
    await addPort(id, `meta-${id}`, {
      type: 'localport',
      mac: ['fa:16:3e:00:00:fe 10.0.0.2'],
      owner: 'network:distributed',
      cidrs: '10.0.0.2/24',
      device: `ovnmeta-${id}`,
    })
  }
  agent = openOvsdb({
    remotes: server.remote,
    database: 'OVN_Southbound',
    tables: [PORT_BINDING, DATAPATH_BINDING, CHASSIS, CHASSIS_PRIVATE, SB_GLOBAL],
  })
  following = followChassis(agent, OURS)
  await agent.synchronized()
})
after(async () => {
  await agent?.close()
  await cloud?.close()
  await endServers()
})

interface Plug {
  readonly mac: readonly string[]
  readonly cidrs?: string
  readonly type?: string
  readonly owner?: string
  readonly device?: string
  readonly on?: string
  readonly requested?: string
  readonly migratingTo?: string
  readonly toMigrateTo?: string
}

async function addPort(network: NetworkId, name: string, plug: Plug): Promise<Uuid> {
  const at = (where: string | undefined) => (where === undefined ? undefined : chassis.get(where))
  const [target, next] = [at(plug.migratingTo), at(plug.toMigrateTo)]
  tunnelKey += 1
  const [uuid] = await cloud.transact(
    insert(NEW_PORT, {
      logical_port: name,
      type: plug.type ?? '',
      tunnel_key: tunnelKey,
      datapath: datapaths.get(network) as Uuid,
      chassis: at(plug.on),
      requested_chassis: at(plug.requested),
      additional_chassis: target === undefined ? [] : [target],
      requested_additional_chassis: next === undefined ? [] : [next],
      mac: plug.mac,
      external_ids: new Map([
        ['neutron:device_owner', plug.owner ?? 'compute:nova'],
        ['neutron:device_id', plug.device ?? `instance-${name}`],
        ['neutron:project_id', 'project'],
        ...(plug.cidrs === undefined ? [] : [['neutron:cidrs', plug.cidrs] as const]),
      ]),
    }),
  )
  return uuid
}

async function localIds(want: readonly NetworkId[]): Promise<void> {
  const ids = () =>
    localNetworks(agent, OURS)
      ?.networks.map(({ id }) => id)
      .sort()
      .join() ?? ''
  await eventually(`the local networks are ${want}`, () => ids() === want.toSorted().join())
  await following.settled()
}

const heldPorts = () => Array.from(agent.all(PORT_BINDING), ({ logical_port }) => logical_port).sort()
const clearGuests = () => cloud.transact(remove(NEW_PORT, [['type', '==', '']]))

describe('what one chassis asks for', () => {
  it('is nothing of a cloud that has no guest here', async () => {
    await addPort(NET_A, 'elsewhere', { mac: ['fa:16:3e:00:00:01 10.0.0.5'], cidrs: '10.0.0.5/24', on: 'chassis-2' })
    await following.settled()
    assert.deepEqual([heldPorts(), agent.count(DATAPATH_BINDING), agent.count(CHASSIS)], [[], 0, 1])
    assert.deepEqual(localNetworks(agent, OURS), { networks: [], unserved: [] })
  })

  it('is every port of a network with a guest here, from the moment that the guest is scheduled', async () => {
    await addPort(NET_A, 'here', { mac: ['fa:16:3e:00:00:02 10.0.0.6'], cidrs: '10.0.0.6/24', requested: OURS })
    await localIds([NET_A])
    assert.deepEqual(heldPorts(), ['elsewhere', 'here', `meta-${NET_A}`])
    assert.deepEqual(localNetworks(agent, OURS)?.networks, [
      { id: NET_A, name: '', metadataPort: { logicalPort: `meta-${NET_A}`, mac: 'fa:16:3e:00:00:fe', cidrs: ['10.0.0.2/24'], mtu: null }, guestAddresses: ['10.0.0.6'] },
    ]) // biome-ignore format: one line
  })

  it('follows guests that come by migration, move, and go', async () => {
    const moving = await addPort(NET_B, 'moving', {
      mac: ['fa:16:3e:00:00:03 10.0.0.7'],
      cidrs: '10.0.0.7/24',
      on: 'chassis-2',
      migratingTo: OURS,
    })
    await localIds([NET_A, NET_B])
    await cloud.transact(
      update(NEW_PORT, [['_uuid', '==', moving]], { chassis: chassis.get(OURS), additional_chassis: [] }),
    )
    await localIds([NET_A, NET_B])
    await cloud.transact(update(NEW_PORT, [['_uuid', '==', moving]], { chassis: chassis.get('chassis-2') }))
    await localIds([NET_A])
    assert.ok(!heldPorts().includes('moving'))
    await clearGuests()
    await localIds([])
    await eventually('nothing is held', () => heldPorts().length === 0)
  })

  it('has what a guest needs that is to migrate here, before any chassis has acted on it', async () => {
    const port = { mac: ['fa:16:3e:00:00:08 10.0.0.8'], cidrs: '10.0.0.8/24', on: 'chassis-2', requested: 'chassis-2' }
    await addPort(NET_B, 'to-migrate', { ...port, toMigrateTo: OURS })
    await localIds([NET_B])
    const client = { fixedIp: '10.0.0.8' as IpAddress }
    assert.deepEqual(
      findPorts(agent, NET_B, client).map(({ id }) => id),
      ['to-migrate'],
    )
    await clearGuests()
    await localIds([])
  })

  it('is unknown without a row of the chassis, which is not the same as nothing', () => {
    assert.equal(localNetworks(agent, 'chassis-9'), undefined)
  })
})

describe('a network', () => {
  it('is served by its own localport, whatever other localports it has', async () => {
    await addPort(NET_C, 'a-monitor', {
      type: 'localport',
      mac: ['fa:16:3e:00:00:aa 10.0.0.3'],
      owner: 'ovn-lb-hm:distributed',
      cidrs: '10.0.0.3/24',
    })
    await addPort(NET_C, 'guest', {
      mac: ['fa:16:3e:00:00:04 10.0.0.8 fd00::8'],
      cidrs: '10.0.0.8/24 fd00::8/64',
      on: OURS,
    })
    await localIds([NET_C])
    const [network] = localNetworks(agent, OURS)?.networks ?? []
    assert.equal(network?.metadataPort.logicalPort, `meta-${NET_C}`)
    assert.deepEqual(network?.guestAddresses, ['10.0.0.8', 'fd00::8'])
    await clearGuests()
    await localIds([])
  })

  it('that has none is told with a reason, and the others are served', async () => {
    await cloud.transact(remove(NEW_PORT, [['logical_port', '==', `meta-${NET_B}`]]))
    await addPort(NET_A, 'fine', { mac: ['fa:16:3e:00:00:05 10.0.0.9'], cidrs: '10.0.0.9/24', on: OURS })
    await addPort(NET_B, 'poor', { mac: ['fa:16:3e:00:00:06 10.0.0.9'], cidrs: '10.0.0.9/24', on: OURS })
    await eventually('the reason is told', () => localNetworks(agent, OURS)?.unserved.length === 1)
    await localIds([NET_A])
    assert.deepEqual(localNetworks(agent, OURS)?.unserved[0]?.network, NET_B)
    await clearGuests()
    await localIds([])
  })
})

describe('what is read ahead of a network', () => {
  it('is its switch and its localports, as they are when they are followed', async () => {
    await addPort(NET_A, 'reader', { mac: ['fa:16:3e:00:00:07 10.0.0.10'], cidrs: '10.0.0.10/24', on: OURS })
    await localIds([NET_A])
    const [known, unknown] = [datapaths.get(NET_A), '00000000-0000-4000-8000-000000000000'] as [Uuid, Uuid]
    const found = await readEarlyRows(agent, [known, unknown])
    const followed = Array.from(agent.all(PORT_BINDING)).filter(({ type }) => type === 'localport')
    assert.equal(followed.length, 1)
    assert.deepEqual(
      found.get(known)?.map(({ row }) => row),
      [agent.get(DATAPATH_BINDING, known), ...followed],
    )
    assert.deepEqual(found.get(unknown), [])
    await clearGuests()
    await localIds([])
  })
})

describe('who asks', () => {
  before(async () => {
    await addPort(NET_A, 'one', {
      mac: ['fa:16:3e:00:01:01 10.0.0.11 FD00:0::11'],
      cidrs: '10.0.0.11/24 fd00::11/64',
      on: OURS,
    })
    await addPort(NET_C, 'same-address', { mac: ['fa:16:3e:00:01:02 10.0.0.11'], cidrs: '10.0.0.11/24', on: OURS })
    await addPort(NET_A, 'pair', {
      mac: ['fa:16:3e:00:01:03 10.0.0.11', 'fa:16:3e:00:01:03 10.0.0.13', 'unknown'],
      cidrs: '10.0.0.13/24',
      on: 'chassis-2',
    })
    await addPort(NET_A, 'unbound', { mac: ['fa:16:3e:00:01:04 10.0.0.14'], cidrs: '10.0.0.14/24' })
    await addPort(NET_A, 'no-cidrs', { mac: ['fa:16:3e:00:01:05 10.0.0.15'], on: OURS })
    await addPort(NET_A, 'twin-1', { mac: ['fa:16:3e:00:01:06 10.0.0.16'], cidrs: '10.0.0.16/24', on: OURS })
    await addPort(NET_A, 'twin-2', { mac: ['fa:16:3e:00:01:07 10.0.0.16'], cidrs: '10.0.0.16/24', on: OURS })
    await localIds([NET_A, NET_C])
    await eventually('the agent has the last of them', () => heldPorts().includes('twin-2'))
  })

  const cases: { name: string; network: NetworkId; address?: string; mac?: string; want: string[] }[] = [
    { name: 'by address', network: NET_A, address: '10.0.0.11', want: ['one'] },
    { name: 'by the same address on another network', network: NET_C, address: '10.0.0.11', want: ['same-address'] },
    { name: 'by IPv6, however it is spelt', network: NET_A, address: 'fd00:0:0::11', want: ['one'] },
    { name: 'by MAC', network: NET_A, mac: 'fa:16:3e:00:01:01', want: ['one'] },
    { name: 'by its own of several members', network: NET_A, address: '10.0.0.13', want: ['pair'] },
    { name: 'from mac alone', network: NET_A, address: '10.0.0.15', want: ['no-cidrs'] },
    { name: 'twice, for the caller to refuse', network: NET_A, address: '10.0.0.16', want: ['twin-1', 'twin-2'] },
    { name: 'not when it is bound nowhere', network: NET_A, address: '10.0.0.14', want: [] },
    { name: 'not as the localport', network: NET_A, address: '10.0.0.2', want: [] },
    { name: 'not on a network that is not here', network: NET_B, address: '10.0.0.11', want: [] },
  ]
  for (const { name, network, address, mac, want } of cases)
    it(`is found ${name}`, () => {
      const client =
        mac === undefined ? { fixedIp: parseIpAddress(address ?? '') as IpAddress } : { mac: mac as MacAddress }
      const found = findPorts(agent, network, client)
      assert.deepEqual(found.map(({ id }) => id).sort(), want)
      for (const port of found)
        assert.deepEqual(port, {
          id: port.id,
          networkId: network,
          projectId: 'project',
          deviceId: `instance-${port.id}`,
          deviceOwner: 'compute:nova',
        })
    })
})
