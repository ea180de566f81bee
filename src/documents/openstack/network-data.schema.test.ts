import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Validator } from '@cfworker/json-schema'
import { cidr, exampleInstance, exampleInterface, exampleSubnet, fixedIp, ip } from '../../../test/nova-example.ts'
import { readDrives, readWalks } from '../../../test/nova-recordings.ts'
import type { InterfaceSubnet } from '../../inventory/records/instance.ts'
import { writeJson } from '../json.ts'
import { networkDataSchema } from './network-data.schema.ts'
import { networkData } from './network-data.ts'

const validator = new Validator(networkDataSchema, '2020-12', false)

/** Where and why a document does not fit; empty when it does. */
function misfits(document: unknown): readonly string[] {
  return validator.validate(document).errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`)
}

describe('the schema accepts what Nova sent', () => {
  const walks = readWalks().flatMap(({ name, recording }) =>
    recording.responses
      .filter(({ m, p, s, body }) => m === 'GET' && s === 200 && p.endsWith('/network_data.json') && body !== undefined)
      .map(({ p, body = '' }) => ({ name: `${name} ${p}`, body })),
  )
  const drives = readDrives().flatMap(({ name, drive }) =>
    drive.files
      .filter(({ path }) => path.endsWith('/network_data.json'))
      .map(({ path, text = '' }) => ({ name: `${name} ${path}`, body: text })),
  )
  assert.ok(walks.length > 20 && drives.length > 10, 'the recordings hold the document')
  for (const { name, body } of [...walks, ...drives]) it(name, () => assert.deepEqual(misfits(JSON.parse(body)), []))
})

describe('the schema accepts what we draw', () => {
  const ipv4 = exampleSubnet({ dnsServers: [ip('198.51.100.2')] })
  const ipv6 = exampleSubnet({
    ipVersion: 6,
    cidr: cidr('2001:db8:10::/64'),
    gateway: ip('2001:db8:10::1'),
    dnsServers: [ip('2001:db8:10::2')],
    addresses: [fixedIp('2001:db8:10::5')],
  })
  const route = (destination: string, gateway: string) => ({ destination: cidr(destination), gateway: ip(gateway) })
  const subnets: Readonly<Record<string, InterfaceSubnet>> = {
    static: ipv4,
    'without gateway': { ...ipv4, gateway: null },
    'with routes to a network, a host and everywhere': {
      ...ipv4,
      routes: [
        route('10.0.0.0/7', '198.51.100.9'),
        route('192.0.2.1/32', '198.51.100.9'),
        route('0.0.0.0/0', '198.51.100.9'),
      ],
    },
    'with DHCP': { ...ipv4, enableDhcp: true, dhcpServer: ip('198.51.100.3') },
    'in IPv6': ipv6,
    'in IPv6, with a route to a host': { ...ipv6, routes: [route('2001:db8:f::1/128', '2001:db8:10::9')] },
    'in IPv6, with DHCP': { ...ipv6, enableDhcp: true, dhcpServer: ip('2001:db8:10::3') },
    'with SLAAC': { ...ipv6, ipv6AddressMode: 'slaac' },
    'with stateful DHCPv6': { ...ipv6, ipv6AddressMode: 'dhcpv6-stateful' },
    'with stateless DHCPv6': { ...ipv6, ipv6AddressMode: 'dhcpv6-stateless' },
    'without address': { ...ipv4, addresses: [] },
  }
  const vifTypes = ['ovs', 'bridge', 'hw_veb', 'vhostuser', 'macvtap', 'unbound', 'binding_failed']
  const drawn = (interfaces: Parameters<typeof exampleInstance>[0], release: 'zed' | 'master') =>
    JSON.parse(writeJson(networkData(exampleInstance(interfaces), release)))
  for (const release of ['zed', 'master'] as const) {
    for (const [name, first] of Object.entries(subnets)) {
      it(`a subnet ${name}, alone and beside every other, on ${release}`, () => {
        for (const [i, second] of Object.values(subnets).entries()) {
          const vifType = vifTypes[i % vifTypes.length] ?? 'ovs'
          const interfaces = [
            exampleInterface({ vifType, subnets: [first, second] }),
            exampleInterface({ deviceName: null, mtu: i === 0 ? null : 9000, subnets: [second] }),
          ]
          assert.deepEqual(misfits(drawn({ interfaces }, release)), [])
        }
      })
    }
    it(`nothing at all on ${release}`, () => {
      assert.deepEqual(misfits(drawn({ interfaces: [] }, release)), [])
      assert.deepEqual(misfits(drawn({ interfaces: [exampleInterface({ subnets: [] })] }, release)), [])
    })
  }
})

const nic = { id: 'tap0', vif_id: 'v', type: 'ovs', mtu: 1442, ethernet_mac_address: 'fa:16:3e:00:00:01' }
const member = { id: 'p1', type: 'phy', ethernet_mac_address: '52:54:00:00:00:01' }
const network = {
  id: 'network0',
  type: 'ipv4',
  link: 'tap0',
  ip_address: '192.0.2.5',
  netmask: '255.255.255.0',
  routes: [{ network: '0.0.0.0', netmask: '0.0.0.0', gateway: '192.0.2.1' }],
  network_id: 'n',
  services: [{ type: 'dns', address: '192.0.2.2' }],
}
const network6 = { ...network, type: 'ipv6', ip_address: '2001:db8::5', netmask: 'ffff:ffff:ffff:ffff::', routes: [] }
const document = (links: readonly object[], networks: readonly object[] = [], services: readonly object[] = []) => ({
  links,
  networks,
  services,
})

describe('the schema knows what other producers write', () => {
  const cases: readonly { readonly name: string; readonly given: object }[] = [
    {
      name: 'a bond of ironic with its members',
      given: document([
        {
          id: 'b0',
          vif_id: 'v',
          type: 'bond',
          mtu: 1500,
          ethernet_mac_address: '52:54:00:00:00:01',
          bond_mode: '802.3ad',
          bond_links: ['p1', 'p2'],
          bond_miimon: 100,
          bond_xmit_hash_policy: 'layer3+4',
        },
        member,
        { ...member, id: 'p2' },
      ]),
    },
    {
      name: 'a VLAN',
      given: document([
        nic,
        { id: 'vlan101', type: 'vlan', vlan_link: 'tap0', vlan_id: 101, vlan_mac_address: 'fa:16:3e:00:00:02' },
      ]),
    },
  ]
  for (const { name, given } of cases) it(name, () => assert.deepEqual(misfits(given), []))
})

describe('the schema refuses', () => {
  const without = (name: string, from: object) =>
    Object.fromEntries(Object.entries(from).filter(([key]) => key !== name))
  const cases: readonly { readonly name: string; readonly given: unknown }[] = [
    { name: 'a list', given: [] },
    { name: 'links alone', given: { links: [] } },
    { name: 'a fourth member', given: { ...document([]), routes: [] } },
    { name: 'a link without MAC address', given: document([without('ethernet_mac_address', nic)]) },
    { name: 'a MAC address with hyphens', given: document([{ ...nic, ethernet_mac_address: 'fa-16-3e-00-00-01' }]) },
    { name: 'an MTU as text', given: document([{ ...nic, mtu: '1500' }]) },
    { name: 'a binding that Nova shows as phy', given: document([{ ...nic, type: 'macvtap' }]) },
    {
      name: 'a bond without members',
      given: document([{ id: 'b', type: 'bond', bond_mode: '802.3ad', bond_links: [] }]),
    },
    {
      name: 'an unknown bond mode',
      given: document([{ id: 'b', type: 'bond', bond_mode: 'lacp', bond_links: ['p1'] }]),
    },
    {
      name: 'VLAN 4095',
      given: document([
        { id: 'v', type: 'vlan', vlan_link: 'tap0', vlan_id: 4095, vlan_mac_address: 'fa:16:3e:00:00:02' },
      ]),
    },
    {
      name: 'a VLAN without its link',
      given: document([{ id: 'v', type: 'vlan', vlan_id: 5, vlan_mac_address: 'fa:16:3e:00:00:02' }]),
    },
    { name: 'an unknown network type', given: document([nic], [{ ...network, type: 'ipv4_static' }]) },
    { name: 'a network without link', given: document([nic], [without('link', network)]) },
    { name: 'a static network without routes', given: document([nic], [without('routes', network)]) },
    { name: 'DHCP with an address', given: document([nic], [{ ...network, type: 'ipv4_dhcp' }]) },
    { name: 'an address with a prefix', given: document([nic], [{ ...network, ip_address: '192.0.2.5/24' }]) },
    { name: 'an IPv6 address in an IPv4 network', given: document([nic], [{ ...network, ip_address: '2001:db8::5' }]) },
    { name: 'a mask with a hole', given: document([nic], [{ ...network, netmask: '255.0.255.0' }]) },
    { name: 'a prefix length for a mask', given: document([nic], [{ ...network6, netmask: 64 }]) },
    {
      name: 'a route without gateway',
      given: document([nic], [{ ...network, routes: [{ network: '0.0.0.0', netmask: '0.0.0.0' }] }]),
    },
    { name: 'a service that is no DNS', given: document([nic], [network], [{ type: 'ntp', address: '192.0.2.2' }]) },
    { name: 'a DNS server by name', given: document([nic], [network], [{ type: 'dns', address: 'ns.example.org' }]) },
  ]
  assert.deepEqual(misfits(document([nic], [network, network6])), [], 'what the cases are made of fits')
  for (const { name, given } of cases) it(name, () => assert.notDeepEqual(misfits(given), []))
})
