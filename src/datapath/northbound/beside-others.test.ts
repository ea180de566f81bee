import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aNetwork, aPort, aRouter, aSubnet } from '../../../test/support/network-records.ts'
import type { IpAddress } from '../../inventory/records/address.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import { emptyRecordSet } from '../../inventory/records/records.ts'
import { type Northbound, northbound } from '../ovn/northbound.ts'
import { besideOthers } from './beside-others.ts'

/*
 *   outside ── edge (gateway) ── red: guest a        blue: guest b, which edge has an interface on, too
 */

const [outside, red, blue] = ['outside', 'red', 'blue'] as NetworkId[] as [NetworkId, NetworkId, NetworkId]
const on = (id: string, network: NetworkId, host: number, fields: object = {}) => ({
  ...aPort(id, [`${network}4=10.0.${network === red ? 1 : 2}.${host}`], fields),
  networkId: network,
})
const GUEST = { deviceOwner: 'compute:nova', deviceId: 'i' }
const byId = <T extends { readonly id: string }>(...all: readonly T[]) => new Map(all.map((one) => [one.id, one]))
const wanted = northbound(
  {
    ...emptyRecordSet(),
    network: byId(
      aNetwork({ id: outside, name: 'public', external: true }),
      ...[red, blue].map((id) => aNetwork({ id })),
    ),
    subnet: byId(
      aSubnet('outside4', '203.0.113.0/24', { networkId: outside, gatewayIp: '203.0.113.1' as IpAddress }),
      aSubnet('red4', '10.0.1.0/24', { networkId: red }),
      aSubnet('blue4', '10.0.2.0/24', { networkId: blue }),
    ),
    router: byId(
      aRouter('edge', {
        externalGateway: {
          networkId: outside,
          enableSnat: true,
          fixedIps: aPort('', ['outside4=203.0.113.5']).fixedIps,
        },
      }),
    ),
    port: byId(
      on('a', red, 11, GUEST),
      on('b', blue, 11, GUEST),
      ...[red, blue].map((id) => on(`dhcp-${id}`, id, 2, { deviceOwner: 'network:dhcp' })),
      ...[red, blue].map((id) => on(`if-${id}`, id, 1, { deviceOwner: 'network:router_interface', deviceId: 'edge' })),
    ),
  },
  [{ name: 'c1', isGateway: true, physicalNetworks: new Set(['public']) }],
  { dnsDomain: '', distributedFloatingIps: false },
)

/** What is left out, by table. */
function leftOut(table: string, name: string): Readonly<Record<string, readonly string[]>> {
  const left = besideOthers(wanted, [{ table, name, owner: 'somebody else' }])
  const tables = Object.keys(wanted) as (keyof Northbound)[]
  return Object.fromEntries(
    tables
      .map((each) => [each, [...wanted[each].keys()].filter((key) => !left[each].has(key)).sort()] as const)
      .filter(([, keys]) => keys.length > 0),
  )
}

describe('what is written beside rows of others', () => {
  it('is all where no name is taken', () => assert.equal(besideOthers(wanted, []), wanted))

  const cases = [
    {
      name: 'a switch goes with its ports, their DHCP options, and the interface of the router',
      taken: ['Logical_Switch', 'neutron-red'],
      want: {
        dhcp: ['red4'],
        switches: ['neutron-red'],
        ports: ['a', 'dhcp-red', 'if-red'],
        routerPorts: ['lrp-if-red'],
      },
    },
    {
      name: 'an external network goes with the gateway on it, and where that may be',
      taken: ['Logical_Switch', 'neutron-outside'],
      want: {
        switches: ['neutron-outside'],
        ports: ['edge', 'provnet-outside'],
        routerPorts: ['lrp-edge'],
        gatewayChassis: ['lrp-edge_c1'],
      },
    },
    { name: 'a guest’s port goes alone', taken: ['Logical_Switch_Port', 'a'], want: { dhcp: ['red4'], ports: ['a'] } },
    {
      name: 'a router’s interface goes on both sides',
      taken: ['Logical_Router_Port', 'lrp-if-blue'],
      want: { ports: ['if-blue'], routerPorts: ['lrp-if-blue'] },
    },
    {
      name: 'a router goes with all it has, and its ports on switches',
      taken: ['Logical_Router', 'neutron-edge'],
      want: {
        ports: ['edge', 'if-blue', 'if-red'],
        routers: ['neutron-edge'],
        routerPorts: ['lrp-edge', 'lrp-if-blue', 'lrp-if-red'],
        gatewayChassis: ['lrp-edge_c1'],
        routes: [...wanted.routes.keys()].sort(),
        translations: [...wanted.translations.keys()].sort(),
      },
    },
  ] as const
  for (const { name, taken, want } of cases) it(name, () => assert.deepEqual(leftOut(taken[0], taken[1]), want))

  it('is tried with rows of every kind', () => {
    for (const table of ['dhcp', 'routes', 'translations'] as const) assert.ok(wanted[table].size > 0, table)
  })
})
