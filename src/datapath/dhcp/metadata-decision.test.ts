import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aDhcpPort, aNetwork, aPort, aRouter, aRouterPort, aSubnet } from '../../../test/support/network-records.ts'
import type { IpAddress } from '../../inventory/records/address.ts'
import type { Port } from '../../inventory/records/port.ts'
import type { Router } from '../../inventory/records/router.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import { DHCP_DEFAULTS, type DhcpConfig } from './config.ts'
import { decideMetadata } from './metadata-decision.ts'
import { dhcpNamespace } from './namespace.ts'
import { viewNetwork } from './network-view.ts'

const v4 = aSubnet('s4', '10.0.0.0/24', { gatewayIp: '10.0.0.1' as IpAddress })
const v6 = aSubnet('s6', 'fd00::/64', { gatewayIp: 'fd00::1' as IpAddress, ipv6AddressMode: 'slaac' })
const dhcp = aDhcpPort('dhcp', 's4=10.0.0.2')

interface Case {
  readonly name: string
  readonly subnets?: readonly Subnet[]
  readonly ports?: readonly Port[]
  readonly routers?: readonly Router[]
  readonly config?: Partial<DhcpConfig>
  readonly want: boolean
}

const cases: readonly Case[] = [
  { name: 'no router', want: true },
  { name: 'enable_isolated_metadata off', config: { enableIsolatedMetadata: false }, want: false },
  {
    name: 'force_metadata is enough by itself',
    config: { enableIsolatedMetadata: false, forceMetadata: true },
    want: true,
  },
  { name: 'router on the gateway address', ports: [aRouterPort('r', 's4=10.0.0.1')], want: false },
  {
    name: 'router on the gateway address, force_metadata',
    ports: [aRouterPort('r', 's4=10.0.0.1')],
    config: { forceMetadata: true },
    want: true,
  },
  { name: 'router on another address', ports: [aRouterPort('r', 's4=10.0.0.9')], want: true },
  {
    name: 'distributed router on the gateway address',
    ports: [{ ...aRouterPort('r', 's4=10.0.0.1'), deviceOwner: 'network:router_interface_distributed' }],
    want: false,
  },
  {
    name: 'only a gateway port holds the address',
    ports: [aPort('r', ['s4=10.0.0.1'], { deviceOwner: 'network:router_gateway' })],
    want: true,
  },
  {
    name: 'the router on the gateway address is down',
    ports: [aRouterPort('r', 's4=10.0.0.1')],
    routers: [aRouter('r1', { adminStateUp: false })],
    want: true,
  },
  {
    name: 'the interface on the gateway address is down',
    ports: [{ ...aRouterPort('r', 's4=10.0.0.1'), adminStateUp: false }],
    want: true,
  },
  { name: 'no gateway', subnets: [{ ...v4, gatewayIp: null }], want: true },
  {
    name: 'dual stack, router on IPv4 only',
    subnets: [v4, v6],
    ports: [aRouterPort('r', 's4=10.0.0.1')],
    want: true,
  },
  {
    name: 'dual stack, router on both',
    subnets: [v4, v6],
    ports: [aRouterPort('r', 's4=10.0.0.1', 's6=fd00::1')],
    want: false,
  },
  {
    name: 'the isolated subnet has no DHCP',
    subnets: [v4, { ...v6, enableDhcp: false }],
    ports: [aRouterPort('r', 's4=10.0.0.1')],
    want: false,
  },
  {
    name: 'DHCP off everywhere, even forced',
    subnets: [{ ...v4, enableDhcp: false }],
    config: { forceMetadata: true },
    want: false,
  },
  {
    name: 'OVN has a metadata port, even forced',
    ports: [aPort('o', ['s4=10.0.0.3'], { deviceOwner: 'network:distributed', deviceId: 'ovnmeta-x' })],
    config: { forceMetadata: true },
    want: false,
  },
  {
    name: 'metadata network behind a router',
    subnets: [aSubnet('m', '169.254.169.240/28', { gatewayIp: '169.254.169.241' as IpAddress })],
    ports: [aRouterPort('r', 'm=169.254.169.241')],
    config: { enableMetadataNetwork: true },
    want: true,
  },
]

for (const { name, subnets = [v4], ports = [], routers = [], config = {}, want } of cases) {
  test(`guests are ${want ? '' : 'not '}sent to the DHCP port: ${name}`, () => {
    const view = viewNetwork(aNetwork(), subnets, [...ports, dhcp], routers)
    const decision = decideMetadata(view, { ...DHCP_DEFAULTS, statePath: '/s', ...config })
    assert.equal(decision.sendsGuests, want, decision.because)
    assert.notEqual(decision.because, '')
  })
}

const absent: readonly Case[] = [
  { name: 'a network with a subnet', want: true },
  { name: 'no subnet', subnets: [], want: false },
  { name: 'no subnet with DHCP', subnets: [{ ...v4, enableDhcp: false }], want: false },
]

for (const { name, subnets = [v4], want } of absent) {
  test(`there is ${want ? 'a' : 'no'} namespace: ${name}`, () => {
    const planned = dhcpNamespace(viewNetwork(aNetwork(), subnets, [dhcp]), { ...DHCP_DEFAULTS, statePath: '/s' })
    assert.equal(planned.namespace !== undefined, want, planned.decision.because)
  })
}

test('there is no namespace: the network is down, has no DHCP port, or that is down', () => {
  const config = { ...DHCP_DEFAULTS, statePath: '/s' }
  const views = [
    viewNetwork(aNetwork({ adminStateUp: false }), [v4], [dhcp]),
    viewNetwork(aNetwork(), [v4], []),
    viewNetwork(aNetwork(), [v4], [{ ...dhcp, adminStateUp: false }]),
  ]
  assert.deepEqual(
    views.map((view) => dhcpNamespace(view, config)).map(({ namespace, decision }) => [namespace, decision.because]),
    [
      [undefined, 'the network is down'],
      [undefined, 'the network has no DHCP port'],
      [undefined, 'the DHCP port is down'],
    ],
  )
})

test('a metadata network speaks for its router', () => {
  const subnet = aSubnet('m', '169.254.169.240/28', { gatewayIp: '169.254.169.241' as IpAddress })
  const ports = [aRouterPort('r', 'm=169.254.169.241'), aDhcpPort('dhcp', 'm=169.254.169.242')]
  const config = { ...DHCP_DEFAULTS, statePath: '/s', enableMetadataNetwork: true }
  const { namespace } = dhcpNamespace(viewNetwork(aNetwork(), [subnet], ports), config)
  assert.deepEqual(namespace?.listeners[0]?.stamp, { routerId: 'r1' })
})
