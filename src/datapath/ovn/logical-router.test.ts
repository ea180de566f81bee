import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { northboundOf } from '../../../test/ovn/standalone-records.ts'
import {
  aDhcpPort,
  aNetwork,
  aPort,
  aRoute,
  aRouter,
  aRouterPort,
  aSubnet,
} from '../../../test/support/network-records.ts'
import type { IpAddress } from '../../inventory/records/address.ts'
import type { FloatingIp } from '../../inventory/records/floating-ip.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import type { Router } from '../../inventory/records/router.ts'
import type { GatewayCandidate } from './gateways.ts'

const v4 = () => aSubnet('s4', '10.0.0.0/24', { gatewayIp: '10.0.0.1' as IpAddress })
const guest = (...addresses: string[]) => aPort('guest', addresses, { deviceId: 'i-1', deviceOwner: 'compute:nova' })
const dhcp = (...addresses: string[]) => aDhcpPort('dhcp', ...addresses)

const OUTSIDE = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb' as NetworkId

describe('the way out', () => {
  const public4 = aSubnet('p4', '203.0.113.0/24', { networkId: OUTSIDE, gatewayIp: '203.0.113.1' as IpAddress })
  const outside = aNetwork({ id: OUTSIDE, name: 'public', external: true, mtu: 1400 })
  const gateway = { networkId: OUTSIDE, enableSnat: true, fixedIps: aPort('', ['p4=203.0.113.5']).fixedIps }
  const router = (fields: Partial<Router> = {}) => aRouter('r1', { externalGateway: gateway, ...fields })
  const floating = {
    id: 'f1',
    projectId: outside.projectId,
    networkId: OUTSIDE,
    address: '203.0.113.80',
    portId: 'guest',
    fixedIpAddress: '10.0.0.11',
  } as FloatingIp
  const at = (name: string, ...more: ('gateway' | 'mapped')[]): GatewayCandidate => ({
    name,
    isGateway: more.includes('gateway'),
    physicalNetworks: new Set(more.includes('mapped') ? ['public'] : []),
  })
  const given = (more: Parameters<typeof northboundOf>[2] = {}) =>
    northboundOf([v4(), public4], [guest('s4=10.0.0.11'), dhcp('s4=10.0.0.2'), aRouterPort('rp', 's4=10.0.0.1')], {
      networks: [outside],
      routers: [router()],
      ...more,
    })
  const plain = (map: ReadonlyMap<string, { readonly on: string; readonly columns: object }>) =>
    [...map.values()].map(({ on, columns }) => {
      const { external_ids, options, ...rest } = columns as Record<string, unknown>
      return { on, ...rest }
    })

  it('is a gateway with a default route, behind whose address subnets are hidden', () => {
    const { ports, routerPorts, routes, translations } = given()
    assert.deepEqual(routerPorts.get('lrp-r1')?.columns.networks, ['203.0.113.5/24'])
    assert.equal(routerPorts.get('lrp-r1')?.columns.options.get('gateway_mtu'), '1400')
    assert.deepEqual([ports.get('r1')?.on, ports.get('r1')?.columns.type], [`neutron-${OUTSIDE}`, 'router'])
    assert.deepEqual(plain(routes), [{ on: 'neutron-r1', ip_prefix: '0.0.0.0/0', nexthop: '203.0.113.1' }])
    assert.deepEqual(plain(translations), [
      {
        on: 'neutron-r1',
        type: 'snat',
        external_ip: '203.0.113.5',
        logical_ip: '10.0.0.0/24',
        logical_port: undefined,
        external_mac: undefined,
      },
    ])
  })

  it('hides nothing with enable_snat off', () => {
    const routers = [router({ externalGateway: { ...gateway, enableSnat: false } })]
    assert.equal(given({ routers }).translations.size, 0)
  })

  it('has the routes of the router besides', () => {
    const routers = [router({ externalGateway: null, routes: [aRoute('192.168.0.0/16', '10.0.0.9')] })]
    assert.deepEqual(plain(given({ routers }).routes), [
      { on: 'neutron-r1', ip_prefix: '192.168.0.0/16', nexthop: '10.0.0.9' },
    ])
  })

  it('has a floating IP on the router that joins its network and the guest’s', () => {
    const { translations, ports } = given({ floatingIps: [floating] })
    assert.deepEqual(plain(translations).at(-1), {
      on: 'neutron-r1',
      type: 'dnat_and_snat',
      external_ip: '203.0.113.80',
      logical_ip: '10.0.0.11',
      logical_port: 'guest',
      external_mac: undefined,
    })
    assert.equal(ports.get('guest')?.columns.external_ids.get('neutron:port_fip'), '203.0.113.80')
    const distributed = given({ floatingIps: [floating], settings: { distributedFloatingIps: true } }).translations
    assert.match(distributed.get('f1')?.columns.external_mac ?? '', /^fa:16:3e:/)
    const idle = { ...floating, portId: null, fixedIpAddress: null }
    assert.equal(given({ floatingIps: [idle] }).translations.size, 1)
  })

  it('is not plugged into a physical network that no chassis has', () => {
    assert.equal(given({ chassis: [at('a')] }).ports.has(`provnet-${OUTSIDE}`), false)
    const { ports, switches } = given({ chassis: [at('a', 'mapped')] })
    assert.equal(ports.get(`provnet-${OUTSIDE}`)?.columns.options.get('network_name'), 'public')
    assert.equal(switches.get(`neutron-${OUTSIDE}`)?.external_ids.get('neutron:provnet-network-type'), 'flat')
  })

  const gateways: { name: string; chassis: GatewayCandidate[]; want: string[] }[] = [
    { name: 'no chassis that can have it', chassis: [], want: ['neutron-ovn-invalid-chassis'] },
    { name: 'the only chassis', chassis: [at('a')], want: ['a'] },
    { name: 'a chassis on the physical network', chassis: [at('a', 'mapped'), at('b')], want: ['a'] },
    { name: 'the gateways of them', chassis: [at('a', 'mapped'), at('b', 'mapped', 'gateway')], want: ['b'] },
    {
      name: 'no gateway that cannot reach it',
      chassis: [at('a', 'mapped'), at('b', 'gateway')],
      want: ['a'],
    },
  ]
  for (const { name, chassis, want } of gateways)
    it(`is on ${name}`, () => {
      const chosen = [...given({ chassis }).gatewayChassis.values()]
      assert.deepEqual(
        chosen.map(({ columns }) => columns.chassis_name),
        want,
      )
    })

  it('stays where it is when a chassis comes', () => {
    const names = ['a', 'b', 'c', 'd']
    const order = (chassis: readonly string[]) =>
      [...given({ chassis: chassis.map((name) => at(name)) }).gatewayChassis.values()]
        .toSorted((a, b) => b.columns.priority - a.columns.priority)
        .map(({ columns }) => columns.chassis_name)
    assert.deepEqual(
      order([...names, 'e']).filter((name) => name !== 'e'),
      order(names),
    )
  })
})
