import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  aDhcpPort,
  aNetwork,
  aPort,
  aRoute,
  aRouter,
  aRouterPort,
  aSubnet,
  NETWORK,
} from '../../../test/support/network-records.ts'
import type { IpAddress } from '../../inventory/records/address.ts'
import type { Network } from '../../inventory/records/network.ts'
import type { Port } from '../../inventory/records/port.ts'
import { emptyRecordSet } from '../../inventory/records/records.ts'
import type { Router } from '../../inventory/records/router.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import { type Northbound, northbound } from './northbound.ts'

function of(subnets: readonly Subnet[], ports: readonly Port[], routers: readonly Router[] = []): Northbound {
  const byId = <T extends { readonly id: string }>(them: readonly T[]) => new Map(them.map((one) => [one.id, one]))
  return northbound({
    ...emptyRecordSet(),
    network: byId<Network>([aNetwork({ mtu: 1442 })]) as never,
    subnet: byId(subnets) as never,
    port: byId(ports) as never,
    router: byId(routers) as never,
  })
}

const v4 = (fields: Partial<Subnet> = {}) =>
  aSubnet('s4', '10.0.0.0/24', { gatewayIp: '10.0.0.1' as IpAddress, ...fields })
const guest = (...addresses: string[]) =>
  aPort('guest', addresses, { deviceId: 'i-1', deviceOwner: 'compute:nova', name: 'web' })
const dhcp = (...addresses: string[]) => aDhcpPort('dhcp', ...addresses)

describe('the Northbound of an inventory', () => {
  it('has a logical port for each guest, by which the agent knows it', () => {
    const port = of([v4()], [guest('s4=10.0.0.11'), dhcp('s4=10.0.0.2')]).ports.get('guest')
    assert.equal(port?.on, `neutron-${NETWORK}`)
    assert.deepEqual([port?.dhcpv4, port?.dhcpv6], ['s4', undefined])
    assert.match(port?.columns.addresses.join() ?? '', /^fa:16:3e:[0-9a-f:]{8} 10\.0\.0\.11$/)
    assert.deepEqual(port?.columns.port_security, port?.columns.addresses)
    const ids = port?.columns.external_ids
    assert.equal(ids?.get('neutron:cidrs'), '10.0.0.11/24')
    assert.equal(ids?.get('neutron:device_id'), 'i-1')
  })

  it('has the DHCP port as the metadata port', () => {
    const port = of([v4()], [dhcp('s4=10.0.0.2')]).ports.get('dhcp')
    const ids = port?.columns.external_ids
    assert.deepEqual([port?.columns.type, port?.dhcpv4], ['localport', undefined])
    assert.equal(ids?.get('neutron:device_owner'), 'network:distributed')
    assert.equal(ids?.get('neutron:device_id'), `ovnmeta-${NETWORK}`)
    assert.equal(ids?.get('neutron:mtu'), '1442')
  })

  const dhcpCases: { name: string; subnet: Subnet; ports: Port[]; want: Record<string, string> | undefined }[] = [
    {
      name: 'with a gateway',
      subnet: v4(),
      ports: [dhcp('s4=10.0.0.2')],
      want: {
        server_id: '10.0.0.1',
        router: '10.0.0.1',
        classless_static_route: '{169.254.169.254/32,10.0.0.2, 0.0.0.0/0,10.0.0.1}',
      },
    },
    {
      name: 'isolated',
      subnet: v4({ gatewayIp: null }),
      ports: [dhcp('s4=10.0.0.2')],
      want: { server_id: '10.0.0.2', classless_static_route: '{169.254.169.254/32,10.0.0.2}' },
    },
    {
      name: 'with host routes',
      subnet: v4({ hostRoutes: [aRoute('192.168.0.0/16', '10.0.0.9')] }),
      ports: [dhcp('s4=10.0.0.2')],
      want: {
        server_id: '10.0.0.1',
        router: '10.0.0.1',
        classless_static_route: '{169.254.169.254/32,10.0.0.2, 192.168.0.0/16,10.0.0.9, 0.0.0.0/0,10.0.0.1}',
      },
    },
    { name: 'that nobody could speak for', subnet: v4({ gatewayIp: null }), ports: [], want: undefined },
    { name: 'without DHCP', subnet: v4({ enableDhcp: false }), ports: [dhcp('s4=10.0.0.2')], want: undefined },
  ]
  for (const { name, subnet, ports, want } of dhcpCases)
    it(`tells guests of a subnet ${name} what ML2/OVN would`, () => {
      const values = of([subnet], ports).dhcp.get('s4')
      const told = values && Object.fromEntries(values.options)
      const { server_mac, lease_time, mtu, ...rest } = told ?? {}
      assert.deepEqual(told && rest, want)
      if (told) assert.deepEqual([/^fa:16:3e:/.test(server_mac ?? ''), lease_time, mtu], [true, '43200', '1442'])
    })

  const modes = [
    { mode: 'slaac', options: undefined, ra: 'slaac' },
    { mode: 'dhcpv6-stateless', options: 'true', ra: 'dhcpv6_stateless' },
    { mode: 'dhcpv6-stateful', options: '', ra: 'dhcpv6_stateful' },
  ] as const
  for (const { mode, options, ra } of modes)
    it(`advertises an IPv6 subnet of mode ${mode}`, () => {
      const subnet = aSubnet('s6', 'fd00::/64', {
        gatewayIp: 'fd00::1' as IpAddress,
        ipv6AddressMode: mode,
        ipv6RaMode: mode,
      })
      const given = of([subnet], [guest('s6=fd00::11'), aRouterPort('rp', 's6=fd00::1')], [aRouter('r1')])
      const values = given.dhcp.get('s6')
      assert.equal(values && (values.options.get('dhcpv6_stateless') ?? ''), options)
      assert.equal(given.ports.get('guest')?.dhcpv6, values && 's6')
      const port = given.routerPorts.get('lrp-rp')
      assert.equal(port?.columns.ipv6_ra_configs.get('address_mode'), ra)
      assert.deepEqual([port?.on, port?.columns.networks], ['neutron-r1', ['fd00::1/64']])
      assert.equal(given.ports.get('rp')?.columns.options.get('router-port'), 'lrp-rp')
    })

  it('has nothing of ports without an instance', () => {
    assert.equal(of([v4()], [aPort('idle', ['s4=10.0.0.5'])]).ports.size, 0)
  })
})
