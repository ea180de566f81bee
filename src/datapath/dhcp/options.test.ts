import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aDhcpPort, aNetwork, aPort, aRoute, aRouterPort, aSubnet } from '../../../test/support/network-records.ts'
import type { IpAddress } from '../../inventory/records/address.ts'
import type { Port } from '../../inventory/records/port.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import { DHCP_DEFAULTS, type DhcpConfig } from './config.ts'
import { viewNetwork } from './network-view.ts'
import { subnetOptions } from './options.ts'

const gatewayIp = '10.0.0.1' as IpAddress
const subnet = aSubnet('s', '10.0.0.0/24', { gatewayIp })
const dhcp = aDhcpPort('dhcp', 's=10.0.0.2', 's6=fd00::2')

interface Case {
  readonly name: string
  readonly subnet?: Subnet
  readonly others?: readonly Subnet[]
  readonly ports?: readonly Port[]
  readonly config?: Partial<DhcpConfig>
  /** Behind `tag:subnet-s,`. */
  readonly want: readonly string[]
}

const routes = (value: string) => [`option:classless-static-route,${value}`, `249,${value}`]
const isolated = '169.254.169.254/32,10.0.0.2,0.0.0.0/0,10.0.0.1'

const cases: readonly Case[] = [
  { name: 'isolated: by the DHCP port', want: [...routes(isolated), 'option:router,10.0.0.1'] },
  {
    name: 'routed: by the gateway',
    ports: [aRouterPort('r', 's=10.0.0.1')],
    want: [...routes('169.254.169.254/32,10.0.0.1,0.0.0.0/0,10.0.0.1'), 'option:router,10.0.0.1'],
  },
  {
    name: 'routed and forced: by the DHCP port',
    ports: [aRouterPort('r', 's=10.0.0.1')],
    config: { forceMetadata: true },
    want: [...routes(isolated), 'option:router,10.0.0.1'],
  },
  {
    name: 'OVN metadata port first of all',
    ports: [aPort('o', ['s=10.0.0.7'], { deviceOwner: 'network:distributed', deviceId: 'ovnmeta-x' })],
    want: [...routes('169.254.169.254/32,10.0.0.7,0.0.0.0/0,10.0.0.1'), 'option:router,10.0.0.1'],
  },
  {
    name: 'isolated, enable_isolated_metadata off: no routes at all, so no option 121',
    config: { enableIsolatedMetadata: false },
    want: ['option:router,10.0.0.1'],
  },
  {
    name: 'the DHCP port has no address here: no metadata route',
    subnet: aSubnet('s', '10.9.0.0/24', { gatewayIp: '10.9.0.1' as IpAddress }),
    ports: [aDhcpPort('a-first', 'other=10.8.0.2')],
    want: ['option:router,10.9.0.1'],
  },
  {
    name: 'no gateway: no default route, and an empty option 3',
    subnet: { ...subnet, gatewayIp: null },
    want: [...routes('169.254.169.254/32,10.0.0.2'), 'option:router'],
  },
  {
    name: 'host routes come first, on-link routes to other subnets before them, the last of these foremost',
    subnet: { ...subnet, hostRoutes: [aRoute('192.0.2.0/24', '10.0.0.9')] },
    others: [aSubnet('t', '10.1.0.0/24'), aSubnet('u', '10.2.0.0/24'), aSubnet('v', 'fd00::/64')],
    want: [
      ...routes(`10.2.0.0/24,0.0.0.0,10.1.0.0/24,0.0.0.0,192.0.2.0/24,10.0.0.9,${isolated}`),
      'option:router,10.0.0.1',
    ],
  },
  {
    name: 'a host route to everywhere is ignored beside a gateway',
    subnet: { ...subnet, hostRoutes: [aRoute('0.0.0.0/0', '10.0.0.99')] },
    want: [...routes(isolated), 'option:router,10.0.0.1'],
  },
  {
    name: 'a host route to everywhere is the gateway where there is none',
    subnet: { ...subnet, gatewayIp: null, hostRoutes: [aRoute('0.0.0.0/0', '10.0.0.99')] },
    want: [...routes('169.254.169.254/32,10.0.0.2,0.0.0.0/0,10.0.0.99'), 'option:router,10.0.0.99'],
  },
  {
    name: 'name servers in their order',
    subnet: { ...subnet, dnsNameservers: ['192.0.2.53', '192.0.2.1'] as IpAddress[] },
    want: ['option:dns-server,192.0.2.53,192.0.2.1', ...routes(isolated), 'option:router,10.0.0.1'],
  },
  {
    name: '0.0.0.0 as name server: announce none',
    subnet: { ...subnet, dnsNameservers: ['0.0.0.0'] as IpAddress[] },
    want: ['option:dns-server', ...routes(isolated), 'option:router,10.0.0.1'],
  },
  {
    name: 'several DHCP ports and no name server: all of them',
    ports: [aDhcpPort('second', 's=10.0.0.3')],
    want: ['option:dns-server,10.0.0.2,10.0.0.3', ...routes(isolated), 'option:router,10.0.0.1'],
  },
  {
    name: 'DHCPv6: addresses in brackets, and the domain',
    subnet: aSubnet('s', 'fd00::/64', {
      ipv6AddressMode: 'dhcpv6-stateful',
      dnsNameservers: ['2001:db8::53'] as IpAddress[],
    }),
    want: ['option6:dns-server,[2001:db8::53]', 'option6:domain-search,openstacklocal'],
  },
  { name: 'SLAAC: nothing', subnet: aSubnet('s', 'fd00::/64', { ipv6AddressMode: 'slaac' }), want: [] },
]

for (const { name, subnet: given = subnet, others = [], ports = [], config = {}, want } of cases) {
  test(`options: ${name}`, () => {
    const view = viewNetwork(aNetwork(), [given, ...others], [dhcp, ...ports])
    const lines = subnetOptions(given, view, { ...DHCP_DEFAULTS, statePath: '/s', ...config })
    assert.deepEqual(
      lines,
      want.map((option) => `tag:subnet-s,${option}`),
    )
  })
}
