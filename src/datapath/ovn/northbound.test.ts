import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { northboundOf } from '../../../test/ovn/standalone-records.ts'
import {
  aDhcpPort,
  aPort,
  aRoute,
  aRouter,
  aRouterPort,
  aSubnet,
  NETWORK,
} from '../../../test/support/network-records.ts'
import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import type { Port } from '../../inventory/records/port.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'

const v4 = (fields: Partial<Subnet> = {}) =>
  aSubnet('s4', '10.0.0.0/24', { gatewayIp: '10.0.0.1' as IpAddress, ...fields })
const guest = (...addresses: string[]) =>
  aPort('guest', addresses, { deviceId: 'i-1', deviceOwner: 'compute:nova', name: 'web' })
const dhcp = (...addresses: string[]) => aDhcpPort('dhcp', ...addresses)

describe('the Northbound of an inventory', () => {
  it('has a logical port for each guest, by which the agent knows it', () => {
    const port = northboundOf([v4()], [guest('s4=10.0.0.11'), dhcp('s4=10.0.0.2')]).ports.get('guest')
    assert.equal(port?.on, `neutron-${NETWORK}`)
    assert.deepEqual([port?.dhcpv4, port?.dhcpv6], ['s4', undefined])
    assert.match(port?.columns.addresses.join() ?? '', /^fa:16:3e:[0-9a-f:]{8} 10\.0\.0\.11$/)
    assert.deepEqual(port?.columns.port_security, port?.columns.addresses)
    const ids = port?.columns.external_ids
    assert.equal(ids?.get('neutron:cidrs'), '10.0.0.11/24')
    assert.equal(ids?.get('neutron:device_id'), 'i-1')
  })

  it('has the DHCP port as the metadata port', () => {
    const port = northboundOf([v4()], [dhcp('s4=10.0.0.2')]).ports.get('dhcp')
    const ids = port?.columns.external_ids
    assert.deepEqual([port?.columns.type, port?.dhcpv4], ['localport', undefined])
    assert.equal(ids?.get('neutron:device_owner'), 'network:distributed')
    assert.equal(ids?.get('neutron:device_id'), `ovnmeta-${NETWORK}`)
    assert.equal(ids?.get('neutron:mtu'), '1442')
  })

  it('tells guests of a domain that is not the usual one', () => {
    const told = northboundOf([v4()], [dhcp('s4=10.0.0.2')], { settings: { dnsDomain: 'shop.example' } }).dhcp.get('s4')
    assert.equal(told?.options.get('domain_name'), '"shop.example"')
  })

  it('knows guests by the hostnames of their servers', () => {
    const subnets = [v4(), aSubnet('s6', 'fd00::/64')]
    const servers = [{ id: 'i-1', hostname: 'Web', portIds: ['guest'] }] as never
    const dns = northboundOf(subnets, [guest('s4=10.0.0.11', 's6=fd00::11'), dhcp('s4=10.0.0.2')], { servers }).dns
    assert.deepEqual(Object.fromEntries(dns.get(`neutron-${NETWORK}`)?.columns.records ?? []), {
      web: '10.0.0.11 fd00::11',
      'web.openstacklocal': '10.0.0.11 fd00::11',
      '11.0.0.10.in-addr.arpa': 'web.openstacklocal',
      '1.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa': 'web.openstacklocal',
    })
    assert.equal(northboundOf(subnets, [guest('s4=10.0.0.11')]).dns.size, 0)
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
    {
      name: 'whose gateway is a host route',
      subnet: v4({ gatewayIp: null, hostRoutes: [aRoute('0.0.0.0/0', '10.0.0.9')] }),
      ports: [dhcp('s4=10.0.0.2')],
      want: {
        server_id: '10.0.0.9',
        router: '10.0.0.9',
        classless_static_route: '{169.254.169.254/32,10.0.0.2, 0.0.0.0/0,10.0.0.9}',
      },
    },
    {
      name: 'with DNS servers',
      subnet: v4({ gatewayIp: null, dnsNameservers: ['192.0.2.1', '192.0.2.2'] as IpAddress[] }),
      ports: [dhcp('s4=10.0.0.2')],
      want: {
        server_id: '10.0.0.2',
        dns_server: '{192.0.2.1, 192.0.2.2}',
        classless_static_route: '{169.254.169.254/32,10.0.0.2}',
      },
    },
    {
      name: 'that announces no DNS server',
      subnet: v4({ gatewayIp: null, dnsNameservers: ['0.0.0.0'] as IpAddress[] }),
      ports: [dhcp('s4=10.0.0.2')],
      want: { server_id: '10.0.0.2', classless_static_route: '{169.254.169.254/32,10.0.0.2}' },
    },
    { name: 'that nobody could speak for', subnet: v4({ gatewayIp: null }), ports: [], want: undefined },
    { name: 'without DHCP', subnet: v4({ enableDhcp: false }), ports: [dhcp('s4=10.0.0.2')], want: undefined },
  ]
  for (const { name, subnet, ports, want } of dhcpCases)
    it(`tells guests of a subnet ${name} what ML2/OVN would`, () => {
      const values = northboundOf([subnet], ports).dhcp.get('s4')
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
      const given = northboundOf([subnet], [guest('s6=fd00::11'), aRouterPort('rp', 's6=fd00::1')], {
        routers: [aRouter('r1')],
      })
      const values = given.dhcp.get('s6')
      assert.equal(values && (values.options.get('dhcpv6_stateless') ?? ''), options)
      assert.equal(given.ports.get('guest')?.dhcpv6, values && 's6')
      const port = given.routerPorts.get('lrp-rp')
      assert.equal(port?.columns.ipv6_ra_configs.get('address_mode'), ra)
      assert.deepEqual([port?.on, port?.columns.networks], ['neutron-r1', ['fd00::1/64']])
      assert.equal(given.ports.get('rp')?.columns.options.get('router-port'), 'lrp-rp')
    })

  it('gives a port a lease of the IPv6 subnet that has leases to give', () => {
    const stateless = { ipv6AddressMode: 'dhcpv6-stateless', ipv6RaMode: 'dhcpv6-stateless' } as const
    const stateful = { ipv6AddressMode: 'dhcpv6-stateful', ipv6RaMode: 'dhcpv6-stateful' } as const
    const subnets = [aSubnet('a', 'fd00:a::/64', stateless), aSubnet('b', 'fd00:b::/64', stateful)]
    assert.equal(northboundOf(subnets, [guest('a=fd00:a::11', 'b=fd00:b::11')]).ports.get('guest')?.dhcpv6, 'b')
  })

  const [own, other] = ['fa:16:3e:00:00:01', 'fa:16:3e:00:00:02'] as MacAddress[]
  const pairs = [
    { ipAddress: '10.0.0.50' as IpAddress, macAddress: null },
    { ipAddress: '10.0.0.51' as IpAddress, macAddress: other },
  ]
  const guarded: { name: string; fields: Partial<Port>; addresses: string[]; security: string[] }[] = [
    { name: 'as itself', fields: {}, addresses: [`${own} 10.0.0.11`], security: [`${own} 10.0.0.11`] },
    {
      name: 'as its allowed address pairs',
      fields: { allowedAddressPairs: pairs as Port['allowedAddressPairs'] },
      addresses: [`${own} 10.0.0.11`, `${other}`],
      security: [`${own} 10.0.0.11 10.0.0.50`, `${other} 10.0.0.51`],
    },
    {
      name: 'as anybody without port security',
      fields: { portSecurityEnabled: false },
      addresses: [`${own} 10.0.0.11`, 'unknown'],
      security: [],
    },
  ]
  for (const { name, fields, addresses, security } of guarded)
    it(`lets a guest send ${name}`, () => {
      const port = { ...guest('s4=10.0.0.11'), macAddress: own as MacAddress, ...fields }
      const columns = northboundOf([v4()], [port, dhcp('s4=10.0.0.2')]).ports.get('guest')?.columns
      assert.deepEqual([columns?.addresses, columns?.port_security], [addresses, security])
    })

  it('has a logical port for whoever may be plugged in, but none for what OVN does itself', () => {
    const ports = [
      aPort('idle', ['s4=10.0.0.5']),
      dhcp('s4=10.0.0.2'),
      aDhcpPort('second', 's4=10.0.0.3'),
      aPort('gateway', ['s4=10.0.0.4'], { deviceOwner: 'network:router_gateway' }),
      aPort('unaddressed', [], { deviceOwner: 'network:router_interface', deviceId: 'r1' }),
    ]
    const given = northboundOf([v4()], ports, { routers: [aRouter('r1')] })
    assert.deepEqual([...given.ports.keys()], ['dhcp', 'idle'])
    assert.equal(given.routerPorts.size, 0)
  })

  it('has the metadata port of an inventory that came from OVN', () => {
    const made = aPort('made', ['s4=10.0.0.3'], { deviceOwner: 'network:distributed', deviceId: `ovnmeta-${NETWORK}` })
    const { ports, dhcp: options } = northboundOf([v4()], [dhcp('s4=10.0.0.2'), made])
    assert.deepEqual([...ports.keys()], ['made'])
    assert.match(options.get('s4')?.options.get('classless_static_route') ?? '', /169\.254\.169\.254\/32,10\.0\.0\.3/)
  })
})
