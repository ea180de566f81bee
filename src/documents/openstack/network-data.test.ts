import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cidr, exampleInstance, exampleInterface, exampleSubnet, fixedIp, ip } from '../../../test/nova-example.ts'
import { parseMacAddress } from '../../inventory/records/address.ts'
import type { NetworkId, PortId } from '../../inventory/records/ids.ts'
import type { InstanceInterface, InterfaceSubnet } from '../../inventory/records/instance.ts'
import { writeJson } from '../json.ts'
import type { Release } from '../release.ts'
import { networkData } from './network-data.ts'

interface NetworkData {
  readonly links: readonly { readonly id: string; readonly type: string; readonly mtu: number | null }[]
  readonly networks: readonly {
    readonly id: string
    readonly type: string
    readonly link: string
    readonly ip_address?: string
  }[]
  readonly services: readonly object[]
}

function draw(interfaces: readonly InstanceInterface[], release: Release = 'zed'): NetworkData {
  return JSON.parse(writeJson(networkData(exampleInstance({ interfaces }), release))) as NetworkData
}

const slaac = exampleSubnet({
  ipVersion: 6,
  cidr: cidr('2001:db8:10::/64'),
  gateway: ip('2001:db8:10::1'),
  dnsServers: [ip('2001:db8:10::2')],
  ipv6AddressMode: 'slaac',
  addresses: [fixedIp('2001:db8:10:0:f816:3eff:fe41:c7a')],
})

test('dual stack: DHCPv4 by an agent, SLAAC', () => {
  const dhcp = exampleSubnet({ dnsServers: [ip('198.51.100.2')], dhcpServer: ip('198.51.100.2'), enableDhcp: true })
  assert.deepEqual(draw([exampleInterface({ subnets: [dhcp, slaac] })]), {
    links: [
      {
        id: 'tap7f3a9c10-52',
        vif_id: '7f3a9c10-52de-4b0c-9a41-0d6f1c2b7e55',
        type: 'ovs',
        mtu: null,
        ethernet_mac_address: 'fa:16:3e:41:0c:7a',
      },
    ],
    networks: [
      { id: 'network0', type: 'ipv4_dhcp', link: 'tap7f3a9c10-52', network_id: 'a1c5f2d4-0b6e-4f57-8c3d-5e2f9b7a6041' },
      {
        id: 'network1',
        type: 'ipv6_slaac',
        link: 'tap7f3a9c10-52',
        ip_address: '2001:db8:10:0:f816:3eff:fe41:c7a',
        netmask: 'ffff:ffff:ffff:ffff::',
        routes: [{ network: '::', netmask: '::', gateway: '2001:db8:10::1' }],
        network_id: 'a1c5f2d4-0b6e-4f57-8c3d-5e2f9b7a6041',
        services: [{ type: 'dns', address: '2001:db8:10::2' }],
      },
    ],
    services: [
      { type: 'dns', address: '198.51.100.2' },
      { type: 'dns', address: '2001:db8:10::2' },
    ],
  })
})

test('two static interfaces, the second SR-IOV without gateway', () => {
  const first = exampleSubnet({
    dnsServers: [ip('198.51.100.2')],
    routes: [{ destination: cidr('203.0.113.0/24'), gateway: ip('198.51.100.254') }],
  })
  const second = exampleSubnet({ cidr: cidr('192.0.2.0/26'), gateway: null, addresses: [fixedIp('192.0.2.10')] })
  const sriov = exampleInterface({
    portId: '0b9d7e2c-6c1f-4d0e-b2a7-93f4e1d85a60' as PortId,
    macAddress: parseMacAddress('fa:16:3e:9d:31:08') ?? assert.fail(),
    vifType: 'hw_veb',
    deviceName: 'tap0b9d7e2c-6c',
    networkId: 'd27f6b13-9e48-4c2a-a0f5-1b3c8d7e4f92' as NetworkId,
    mtu: 9000,
    subnets: [second],
  })
  assert.equal(
    writeJson(
      networkData(exampleInstance({ interfaces: [exampleInterface({ mtu: 1500, subnets: [first] }), sriov] }), 'zed'),
    ),
    '{"links": [{"id": "tap7f3a9c10-52", "vif_id": "7f3a9c10-52de-4b0c-9a41-0d6f1c2b7e55", "type": "ovs", "mtu": 1500, ' +
      '"ethernet_mac_address": "fa:16:3e:41:0c:7a"}, {"id": "tap0b9d7e2c-6c", ' +
      '"vif_id": "0b9d7e2c-6c1f-4d0e-b2a7-93f4e1d85a60", "type": "hw_veb", "mtu": 9000, ' +
      '"ethernet_mac_address": "fa:16:3e:9d:31:08"}], "networks": [{"id": "network0", "type": "ipv4", ' +
      '"link": "tap7f3a9c10-52", "ip_address": "198.51.100.23", "netmask": "255.255.255.0", ' +
      '"routes": [{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "198.51.100.1"}, ' +
      '{"network": "203.0.113.0", "netmask": "255.255.255.0", "gateway": "198.51.100.254"}], ' +
      '"network_id": "a1c5f2d4-0b6e-4f57-8c3d-5e2f9b7a6041", "services": [{"type": "dns", "address": "198.51.100.2"}]}, ' +
      '{"id": "network1", "type": "ipv4", "link": "tap0b9d7e2c-6c", "ip_address": "192.0.2.10", ' +
      '"netmask": "255.255.255.192", "routes": [], "network_id": "d27f6b13-9e48-4c2a-a0f5-1b3c8d7e4f92", "services": []}], ' +
      '"services": [{"type": "dns", "address": "198.51.100.2"}]}',
  )
})

const ovn = { enableDhcp: true, dhcpServer: null }
const v6 = exampleSubnet({ ...slaac, ipv6AddressMode: null })

const decisions: readonly {
  name: string
  subnet: InterfaceSubnet
  zed: [string, number | null]
  master: [string, number | null]
}[] = [
  { name: 'OVN, IPv4 with gateway', subnet: exampleSubnet(ovn), zed: ['ipv4_dhcp', null], master: ['ipv4_dhcp', 1442] },
  {
    name: 'OVN, IPv4 without gateway',
    subnet: exampleSubnet({ ...ovn, gateway: null }),
    zed: ['ipv4', 1442],
    master: ['ipv4_dhcp', 1442],
  },
  {
    name: 'OVN, IPv6 without address mode',
    subnet: { ...v6, ...ovn },
    zed: ['ipv6_dhcp', null],
    master: ['ipv6_dhcp', 1442],
  },
  { name: 'static IPv6', subnet: v6, zed: ['ipv6', 1442], master: ['ipv6', 1442] },
  {
    name: 'an address mode wins over DHCP',
    subnet: { ...v6, ipv6AddressMode: 'dhcpv6-stateful', dhcpServer: ip('2001:db8:10::2') },
    zed: ['ipv6_dhcpv6-stateful', null],
    master: ['ipv6_dhcpv6-stateful', null],
  },
  {
    name: 'DHCP by an agent',
    subnet: exampleSubnet({ dhcpServer: ip('198.51.100.2') }),
    zed: ['ipv4_dhcp', null],
    master: ['ipv4_dhcp', null],
  },
]

for (const { name, subnet, ...want } of decisions) {
  for (const release of ['zed', 'master'] as const) {
    test(`${name} on ${release}`, () => {
      const { links, networks } = draw([exampleInterface({ subnets: [subnet] })], release)
      assert.deepEqual([networks[0]?.type, links[0]?.mtu], want[release])
    })
  }
}

test('without interfaces there is an empty object, without subnets three empty lists', () => {
  assert.equal(writeJson(networkData(exampleInstance({ interfaces: [] }), 'zed')), '{}')
  assert.deepEqual(draw([exampleInterface({ subnets: [] })]), { links: [], networks: [], services: [] })
})

test('an interface without subnets takes no number, one without an address keeps its link', () => {
  const nameless = { deviceName: null }
  const { links, networks } = draw([
    exampleInterface({ ...nameless, subnets: [] }),
    exampleInterface({ ...nameless, subnets: [exampleSubnet({ addresses: [] })] }),
    exampleInterface({ ...nameless, vifType: 'binding_failed' }),
  ])
  assert.deepEqual(
    links.map(({ id, type }) => [id, type]),
    [
      ['interface0', 'ovs'],
      ['interface1', 'phy'],
    ],
  )
  assert.deepEqual(
    networks.map(({ id, link }) => [id, link]),
    [['network0', 'interface1']],
  )
})

test('of each family the first subnet and its first address are shown, a later subnet still hides the MTU', () => {
  const second = exampleSubnet({
    cidr: cidr('192.0.2.0/24'),
    dhcpServer: ip('192.0.2.2'),
    addresses: [fixedIp('192.0.2.9')],
  })
  const first = exampleSubnet({ addresses: [fixedIp('198.51.100.9'), fixedIp('198.51.100.8')] })
  const { links, networks } = draw([exampleInterface({ subnets: [slaac, first, second] })])
  assert.deepEqual(
    networks.map((network) => network.ip_address),
    ['198.51.100.9', '2001:db8:10:0:f816:3eff:fe41:c7a'],
  )
  assert.equal(links[0]?.mtu, null)
})

test('services name each server once', () => {
  const subnet = exampleSubnet({ dnsServers: [ip('192.0.2.53'), ip('192.0.2.53')] })
  const { services, networks } = draw([
    exampleInterface({ subnets: [subnet] }),
    exampleInterface({ subnets: [subnet] }),
  ])
  assert.deepEqual(services, [{ type: 'dns', address: '192.0.2.53' }])
  assert.equal((networks[0] as unknown as { services: object[] }).services.length, 2)
})
