import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { ovnNamespaces } from '../../datapath/ovn/namespace.ts'
import type { Namespace } from '../../host/namespace.ts'
import type { IpAddress } from '../../inventory/records/address.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import { findPorts } from '../../metadata-agent/ovn/find-ports.ts'
import { localNetworks } from '../../metadata-agent/ovn/local-networks.ts'
import { missingRegistration } from '../../metadata-agent/ovn/registration.ts'
import { CHASSIS, DATAPATH_BINDING, PORT_BINDING, SOUTHBOUND_TABLES } from '../../metadata-agent/ovn/southbound.ts'
import type { AnyTable, Rows } from '../../ovsdb/ovsdb.ts'
import { createReplica } from '../../ovsdb/replica.ts'

// What neutron-ovn-metadata-agent 21.0.0 read and what it made of it: ours makes the same of the same.

const recorded = (name: string) => readFileSync(new URL(`../../../test/golden/ovn/${name}`, import.meta.url), 'utf8')
const NETWORK = 'da5bb487-5193-4a65-a3df-4a0055a8c0d7' as NetworkId
const SYSTEM_ID = '11111111-2222-3333-4444-555555555555'
const CHASSIS_ROW = '9d5f3637-2599-4731-90c6-10f7bb9e87f9'

type Printed = ReadonlyMap<string, string>

/** The records of a table as `ovn-sbctl list` and `ovs-vsctl list` print them, by column. */
function listed(file: string, table: string): readonly Printed[] {
  const [, text = ''] = recorded(file).split(`list ${table}`)
  const [own = ''] = text.slice(text.indexOf('\n') + 1).split('\n# ')
  return own
    .trim()
    .split('\n\n')
    .map(
      (row) =>
        new Map(
          row
            .split('\n')
            .map((line) => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()]),
        ),
    )
}

const bare = (text: string) => text.replace(/^"(.*)"$/, '$1')
const optional = (text = '[]') => (text === '[]' ? undefined : bare(text))
const members = (text = '[]') => Array.from(text.matchAll(/"([^"]*)"/g), ([, member]) => member ?? '')
const map = (text = '{}') =>
  new Map(
    Array.from(text.slice(1, -1).matchAll(/("[^"]*"|[^=,\s]+)=("[^"]*"|[^,]*)/g), ([, key = '', value = '']) => [
      bare(key),
      bare(value),
    ]),
  )

/** The Southbound of the record, in memory. */
function southbound(): Rows {
  const replica = createReplica(SOUTHBOUND_TABLES)
  const put = (table: AnyTable, row: Readonly<Record<string, unknown>>) =>
    replica.apply([{ table: table.name, old: undefined, row: row as never }])
  put(CHASSIS, { _uuid: CHASSIS_ROW, name: SYSTEM_ID, external_ids: new Map() })
  for (const row of listed('sb.txt', 'datapath_binding'))
    put(DATAPATH_BINDING, { _uuid: row.get('_uuid'), external_ids: map(row.get('external_ids')) })
  for (const row of listed('sb.txt', 'port_binding'))
    put(PORT_BINDING, {
      ...{ _uuid: row.get('_uuid'), datapath: row.get('datapath'), logical_port: bare(row.get('logical_port') ?? '') },
      ...{
        type: bare(row.get('type') ?? ''),
        mac: members(row.get('mac')),
        external_ids: map(row.get('external_ids')),
      },
      ...{ chassis: optional(row.get('chassis')), requested_chassis: optional(row.get('requested_chassis')) },
      additional_chassis: [],
    })
  return replica
}

function namespaceOf(rows: Rows): Namespace {
  const { networks = [] } = localNetworks(rows, SYSTEM_ID) ?? {}
  const [namespace] = ovnNamespaces(networks, {
    bridge: 'br-int',
    hasIpv6: true,
    metadataProxyDriver: 'native',
    metadataProxySocket: '/s/metadata_proxy',
    rateLimit: null,
    statePath: '/s',
  })
  assert.ok(namespace)
  return namespace
}

describe('of what neutron’s agent read', () => {
  const rows = southbound()
  const namespace = namespaceOf(rows)
  const [device] = namespace.devices

  it('the namespace is the one that it made', () => {
    const [, name] = /^(ovnmeta-\S+)/m.exec(recorded('netns.txt')) ?? []
    assert.equal(namespace.name, name)
    const show = recorded('netns.txt')
    const [, inside, mtu] = /^\d+: (tap\S+)@if\d+: <[^>]*> mtu (\d+)/m.exec(show) ?? []
    assert.deepEqual([device?.name, String(device?.mtu)], [inside, mtu])
    assert.equal(device?.mac, new RegExp(`${inside}@[^]*?link/ether (\\S+)`).exec(show)?.[1])
  })

  it('it has the addresses and routes that it gave', () => {
    const given = Array.from(recorded('netns.txt').matchAll(/inet (\S+) brd \S+ scope global/g), ([, cidr]) => cidr)
    assert.deepEqual(device?.addresses, given)
    assert.deepEqual(namespace.routes, []) // those of the record are the kernel's own
    assert.match(recorded('netns.txt'), /ip route\n10\.88\.0\.0\/24 dev tapda5bb487-51 proto kernel[^\n]*\n\n/)
  })

  it('the port of Open vSwitch is the one that it plugged', () => {
    const [port] = listed('ovs.txt', 'interface')
    assert.equal(device?.peer, bare(port?.get('name') ?? ''))
    assert.equal(device?.ifaceId, map(port?.get('external_ids')).get('iface-id'))
    assert.ok(recorded('ovs.txt').includes(`Bridge ${device?.bridge}\n`))
  })

  it('we listen where its haproxy does, and say the same network', () => {
    const [, address, port] = /bind (\S+):(\d+)/.exec(recorded('haproxy.conf')) ?? []
    const [, network] = /add-header X-OVN-Network-ID (\S+)/.exec(recorded('haproxy.conf')) ?? []
    assert.deepEqual(namespace.listeners, [
      { address, port: Number(port), device: null, stamp: { networkId: network } },
    ])
  })

  const askers = [
    { address: '10.88.0.11', device: 'd01b6433-c7a5-5dc6-b3f0-26ba59800384' },
    { address: '10.88.0.12', device: 'cefa6f15-a611-5629-b732-fa1a26d5bc29' },
    { address: '10.88.0.2', device: undefined }, // its own
  ]
  for (const { address, device: want } of askers)
    it(`${address} is ${want ?? 'nobody'}`, () => {
      const found = findPorts(rows, NETWORK, { fixedIp: address as IpAddress })
      assert.deepEqual(
        found.map(({ deviceId, projectId }) => [deviceId, String(projectId)]),
        want === undefined ? [] : [[want, 'ac25d9f8bd1640128f7c24b5e2a3f0aa']],
      )
    })
})

describe('in the record of its chassis', () => {
  const idsOf = (file: string) => map(listed(file, 'chassis_private')[0]?.get('external_ids'))
  const ours = { systemId: SYSTEM_ID, bridge: 'br-int', nbCfg: 2 }

  it('we write what it wrote, and the bridge that later releases write', () => {
    const before = idsOf('chassis-before.txt')
    const after = new Map([...before, ...missingRegistration(before, ours)])
    const [registered, told] = recorded('chassis-after.txt').split('# after one more nb_cfg increment')
    assert.ok(registered && told)
    const theirs = map(/external_ids +: (.*)/.exec(told)?.[1])
    assert.deepEqual(after, new Map([...theirs, ['neutron:ovn-bridge', 'br-int']]))
  })

  it('we leave what it wrote as it is', () => {
    const told = map(/external_ids +: (.*)/.exec(recorded('chassis-after.txt').split('nb_cfg increment')[1] ?? '')?.[1])
    assert.deepEqual([...missingRegistration(told, ours).keys()], ['neutron:ovn-bridge'])
  })
})
