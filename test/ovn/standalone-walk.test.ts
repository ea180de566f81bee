import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { northboundChanges } from '../../src/datapath/northbound/changes.ts'
import { clearNorthbound, keepNorthbound } from '../../src/datapath/northbound/keep-northbound.ts'
import { CHASSIS_TABLE, NORTHBOUND_TABLES, OWNER_KEY, ROW_KEY } from '../../src/datapath/northbound/tables.ts'
import type { GatewayCandidate } from '../../src/datapath/ovn/gateways.ts'
import { type Northbound, northbound } from '../../src/datapath/ovn/northbound.ts'
import type { Cidr, IpAddress } from '../../src/inventory/records/address.ts'
import type { FloatingIp } from '../../src/inventory/records/floating-ip.ts'
import type { NetworkId } from '../../src/inventory/records/ids.ts'
import type { Port } from '../../src/inventory/records/port.ts'
import { emptyRecordSet } from '../../src/inventory/records/records.ts'
import type { Server } from '../../src/inventory/records/server.ts'
import { openLog } from '../../src/observe/log.ts'
import { type AnyTable, insert, type OvsdbClient, openOvsdb } from '../../src/ovsdb/ovsdb.ts'
import { createDatabase, endServers, ovsdbServer, temporaryDirectory } from '../ovsdb/ovsdb-server.ts'
import { eventually } from '../support/eventually.ts'
import { aDhcpPort, aNetwork, aPort, aRoute, aRouter, aSubnet } from '../support/network-records.ts'
import { randomNumbers } from '../support/random-trees.ts'

/* The real database, without the rest of OVN: each step makes it say another inventory, whatever it said before. */

const SCHEMA = '/usr/share/ovn/ovn-nb.ovsschema'
const SOUTHBOUND_SCHEMA = '/usr/share/ovn/ovn-sb.ovsschema'
const skip = existsSync(SCHEMA) ? false : 'needs the package ovn-common'
const SEED = 20_261_121
const STEPS = 100
const MARK = 'ours'
const SETTINGS = { dnsDomain: 'openstacklocal', distributedFloatingIps: false }
const NOTHING = northbound(emptyRecordSet(), [], SETTINGS)

describe('a Northbound that is kept by difference', { skip }, () => {
  const directory = temporaryDirectory()
  let client: OvsdbClient
  let remote = ''

  before(async () => {
    const server = ovsdbServer(directory, createDatabase(directory, SCHEMA))
    await server.start()
    remote = server.remote
    client = openOvsdb({ remotes: remote, database: 'OVN_Northbound', tables: NORTHBOUND_TABLES })
    await client.synchronized()
  })
  after(async () => {
    await client.close()
    await endServers()
  })

  async function become(wanted: Northbound): Promise<string> {
    await client.transact(...northboundChanges(wanted, client, MARK))
    assert.deepEqual(northboundChanges(wanted, client, MARK), [], 'what has just been written is written again')
    return printed(client, MARK)
  }

  it('says the same whatever it said before', async () => {
    const random = randomNumbers(SEED)
    const said = new Set<string>()
    for (let step = 0; step < STEPS; step += 1) {
      const wanted = randomNorthbound(random)
      const byDifference = await become(wanted)
      await become(NOTHING)
      assert.equal(printed(client, MARK), '')
      assert.equal(await become(wanted), byDifference, `step ${step}`)
      said.add(byDifference)
    }
    assert.ok(said.size > STEPS / 2, 'the steps are hardly different from one another')
  })

  describe('and is shared by two installations', () => {
    const [marks, log] = [['firstboot:one', 'firstboot:two'] as const, openLog('error', 'test')]
    let southbound: OvsdbClient
    before(async () => {
      const server = ovsdbServer(directory, createDatabase(directory, SOUTHBOUND_SCHEMA, 'sb'), { name: 'sb' })
      await server.start()
      southbound = openOvsdb({ remotes: server.remote, database: 'OVN_Southbound', tables: [CHASSIS_TABLE] })
    })
    after(() => southbound.close())

    /** @param more  a network without ports */
    function keeping(mark: string, network: NetworkId, portId: string, ...more: readonly NetworkId[]) {
      const subnet = aSubnet(`${network}4`, '10.0.0.0/24', { networkId: network })
      const port = { ...aPort(portId, [`${subnet.id}=10.0.0.11`]), networkId: network }
      const records = {
        ...emptyRecordSet(),
        network: new Map([network, ...more].map((id) => [id, aNetwork({ id })])),
        subnet: new Map([[subnet.id, subnet]]),
        port: new Map([[port.id, port]]),
      }
      const source = { records, onChange: () => () => undefined }
      const rows = { client, mark, log }
      const keeper = keepNorthbound({ ...rows, southbound, source, settings: SETTINGS })
      return {
        look: keeper.look,
        end: keeper.end,
        troubles: () => keeper.troubles,
        clear: () => clearNorthbound(rows, keeper),
      }
    }

    it('has what each of them wants, and each removes its own', async () => {
      const [one, two] = marks.map((mark, i) => keeping(mark, `net-${i}` as NetworkId, `port-${i}`))
      assert.ok(one && two)
      await Promise.all([one.look(), two.look()])
      const before = marks.map((mark) => printed(client, mark))
      for (const [i, text] of before.entries()) assert.match(text, new RegExp(`Logical_Switch_Port .*"port-${i}"`))
      await Promise.all([two.look(), one.look()])
      assert.deepEqual(
        marks.map((mark) => printed(client, mark)),
        before,
      )
      await one.clear()
      assert.deepEqual(
        marks.map((mark) => printed(client, mark)),
        ['', before[1]],
      )
      await two.clear()
    })

    it('says whose a network is that the other one has too, writes the rest, and that when it is gone there', async () => {
      const one = keeping(marks[0], 'net' as NetworkId, 'port-0')
      const two = keeping(marks[1], 'net' as NetworkId, 'port-1', 'own' as NetworkId)
      await one.look()
      const before = printed(client, marks[0])
      await two.look()
      const [taken, ...more] = two.troubles()
      assert.deepEqual([taken?.where, more], ['Logical_Switch neutron-net', []])
      assert.match(taken?.message ?? '', /has Logical_Switch neutron-net of the installation firstboot:one already/)
      assert.equal(printed(client, marks[0]), before)
      const beside = printed(client, marks[1])
      assert.match(beside, /Logical_Switch .*neutron-own/)
      assert.doesNotMatch(beside, /neutron-net|port-1|"net4"/)
      await one.clear()
      await eventually('the network is written', () => /Logical_Switch_Port .*port-1/.test(printed(client, marks[1])))
      assert.deepEqual(two.troubles(), [])
      await two.clear()
    })

    it('comes back to what the database refuses', async () => {
      const shared = client
      let refusals = 1
      client = {
        ...shared,
        transact: (...operations) =>
          refusals-- > 0 ? Promise.reject(new Error('a constraint')) : shared.transact(...operations),
      }
      const one = keeping(marks[0], 'net' as NetworkId, 'port')
      client = shared
      await one.look()
      assert.deepEqual(
        one.troubles().map(({ where, message }) => [where, message]),
        [['OVN_Northbound', 'a constraint']],
      )
      await eventually('there is no trouble any more', () => one.troubles().length === 0)
      assert.match(printed(client, marks[0]), /neutron-net/)
      await one.clear()
    })

    it('is rid of what a lost installation has left by the command that the documentation gives', async () => {
      const lost = keeping(marks[0], 'lost' as NetworkId, 'lost-port')
      await lost.look()
      await lost.end()
      const kept = keeping(marks[1], 'kept' as NetworkId, 'kept-port')
      await kept.look()
      const before = printed(client, marks[1])
      const page = readFileSync(new URL('../../docs/paths/ovn.md', import.meta.url), 'utf8')
      const command = /^ {4}(for table in .*\n(?: {4}.*\n)+)/m.exec(page)?.[1] ?? ''
      assert.match(command, /ovn-nbctl/)
      execFileSync('sh', ['-euc', command.replaceAll('firstboot:ID', marks[0])], {
        env: { ...process.env, OVN_NB_DB: remote },
      })
      await eventually('its rows are gone', () => printed(client, marks[0]) === '')
      assert.equal(printed(client, marks[1]), before)
      await kept.clear()
    })
  })

  it('leaves rows of others alone, also beside its own', async () => {
    const [, LOGICAL_SWITCH] = NORTHBOUND_TABLES
    const theirs = { external_ids: new Map([[OWNER_KEY, 'theirs']]) }
    await client.transact(insert(LOGICAL_SWITCH as AnyTable, { name: 'theirs', ...theirs } as never))
    const before = printed(client, 'theirs')
    await become(randomNorthbound(randomNumbers(SEED)))
    await become(NOTHING)
    assert.notEqual(before, '')
    assert.equal(printed(client, 'theirs'), before)
  })
})

/** What a mark has in the database, with names in place of uuids. */
function printed(client: OvsdbClient, mark: string): string {
  const rows = NORTHBOUND_TABLES.flatMap((table) =>
    Array.from(client.all(table as AnyTable), (row) => ({ table: table.name, row: row as Record<string, unknown> })),
  ).filter(({ row }) => (row['external_ids'] as ReadonlyMap<string, string>).get(OWNER_KEY) === mark)
  const names = new Map(rows.map(({ table, row }) => [row['_uuid'], `${table} ${nameOf(row)}`]))
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain).sort()
    if (typeof value === 'object' && value !== null) return Object.fromEntries(value as Iterable<[string, string]>)
    return names.get(value) ?? value
  }
  return rows
    .map(
      ({ table, row }) =>
        `${table} ${JSON.stringify(Object.entries(row).map(([column, value]) => [column, plain(value)]))}`,
    )
    .sort()
    .join('\n')
}

function nameOf(row: Record<string, unknown>): string {
  const ids = row['external_ids'] as ReadonlyMap<string, string>
  return String(row['name'] ?? ids.get(ROW_KEY) ?? ids.get('subnet_id') ?? ids.get('ls_name'))
}

/** Of a small cloud in which everything may be elsewhere at the next step. */
function randomNorthbound(random: () => number): Northbound {
  const below = (limit: number) => Math.floor(random() * limit)
  const chance = (percent: number) => below(100) < percent
  const pick = <T>(items: readonly T[]) => items[below(items.length)] as T
  const some = <T>(items: readonly T[], percent = 70) => items.filter(() => chance(percent))
  const network = (id: string) => id as NetworkId
  const networks = [
    aNetwork({ id: network('outside'), name: pick(['public', 'internet']), external: true, mtu: 1400 }),
    ...some(['red', 'blue', 'green']).map((id) => aNetwork({ id: network(id), name: id, mtu: pick([1400, 1500]) })),
  ]
  const inside = networks.filter(({ external }) => !external).map(({ id }) => id)
  const subnets = [
    aSubnet('outside4', '203.0.113.0/24', { networkId: network('outside'), gatewayIp: '203.0.113.1' as IpAddress }),
    ...inside.flatMap((id, i) => [
      aSubnet(`${id}4`, `10.0.${i}.0/24`, {
        networkId: id,
        gatewayIp: `10.0.${i}.1` as IpAddress,
        enableDhcp: chance(80),
      }),
      ...some([
        aSubnet(`${id}6`, `fd00:${i}::/64`, { networkId: id, ipv6AddressMode: pick(['slaac', 'dhcpv6-stateful']) }),
      ]),
    ]),
  ]
  const routers = some(['r1', 'r2']).map((id) => {
    const fixedIps = aPort('', [`outside4=203.0.113.${id === 'r1' ? 5 : 6}`]).fixedIps
    const externalGateway = chance(70) ? { networkId: network('outside'), enableSnat: chance(70), fixedIps } : null
    return aRouter(id, {
      externalGateway,
      adminStateUp: chance(80),
      routes: some([aRoute('192.168.0.0/16', '10.0.0.9')]),
    })
  })
  const on = (id: string, networkId: NetworkId, host: number, fields: Partial<Port> = {}) => {
    const { cidr } = subnets.find((subnet) => subnet.id === `${networkId}4`) as { cidr: Cidr }
    return { ...aPort(id, [`${networkId}4=${cidr.replace('0/24', String(host))}`], fields), networkId }
  }
  const guests = inside.length === 0 ? [] : some(['a', 'b', 'c']).map((id, i) => on(id, pick(inside), 11 + i))
  const ports = [
    ...guests.map((port) => ({ ...port, deviceOwner: 'compute:nova', deviceId: `i-${port.id}` })),
    ...some(inside, 80).map((id) => ({
      ...aDhcpPort(`dhcp-${id}`, `${id}4=${on('', id, 2).fixedIps[0]?.ipAddress}`),
      networkId: id,
    })),
    ...(routers.length === 0 ? [] : some(inside)).map((id) =>
      on(`interface-${id}`, id, 1, { deviceOwner: 'network:router_interface', deviceId: pick(routers).id }),
    ),
  ]
  const floatingIps = (guests.length === 0 ? [] : some([80, 81])).map((host) => {
    const { id: portId, fixedIps } = pick(guests)
    const address = `203.0.113.${host}` as IpAddress
    const to = chance(80)
      ? { portId, fixedIpAddress: fixedIps[0]?.ipAddress ?? null }
      : { portId: null, fixedIpAddress: null }
    return {
      id: `f${host}`,
      projectId: aNetwork().projectId,
      networkId: network('outside'),
      address,
      ...to,
    } as FloatingIp
  })
  const servers = some(guests).map(
    ({ id }) => ({ id: `i-${id}`, hostname: pick(['x', 'y']), portIds: [id] }) as unknown as Server,
  )
  const chassis = some(['c1', 'c2', 'c3']).map(
    (name): GatewayCandidate => ({
      name,
      isGateway: chance(50),
      physicalNetworks: new Set(some(['public'], 50)),
    }),
  )
  const byId = <T extends { readonly id: string }>(them: readonly T[]) =>
    new Map(them.map((one) => [one.id as string, one]))
  const records = {
    ...emptyRecordSet(),
    network: byId(networks),
    subnet: byId(subnets),
    router: byId(routers),
    port: byId(ports),
    floating_ip: byId(floatingIps),
    server: byId(servers),
  }
  return northbound(records, chassis, SETTINGS)
}
