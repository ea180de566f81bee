import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aPort, aRouter, aRouterPort, aSubnet, byId, NETWORK } from '../../test/support/network-records.ts'
import { formerInterfaceChanges, standingFixedIps, type Touched } from './former-interfaces.ts'
import { applyChanges } from './memory-store.ts'
import type { FormerInterface } from './records/former-interface.ts'
import type { NetworkId, PortId, RouterId, SubnetId } from './records/ids.ts'
import type { Port } from './records/port.ts'
import { type Change, emptyRecordSet } from './records/records.ts'
import type { Router } from './records/router.ts'

const NOW = 1_800_000_000
const up = aRouter('r1')
const inner = aRouterPort('p1', 's=10.0.0.1')

interface Case {
  readonly name: string
  readonly routers?: readonly Router[]
  readonly ports?: readonly Port[]
  readonly former?: readonly FormerInterface[]
  readonly changes: readonly Change[]
  /** `port: addresses @seconds before now` */
  readonly want: readonly string[]
}

const former = (id: string, address: string, ago: number): FormerInterface => ({
  id: id as PortId,
  routerId: 'r1' as RouterId,
  networkId: NETWORK,
  macAddress: inner.macAddress,
  fixedIps: aPort(id, [`s=${address}`]).fixedIps,
  detachedAt: NOW - ago,
})
const put = (record: Port): Change => ({ op: 'put', noun: 'port', record })
const detach: Change = { op: 'delete', noun: 'port', id: 'p1' }

const cases: readonly Case[] = [
  { name: 'the interface is removed', changes: [detach], want: ['p1: 10.0.0.1 @0'] },
  {
    name: 'the router is deleted with it',
    changes: [detach, { op: 'delete', noun: 'router', id: 'r1' }],
    want: ['p1: 10.0.0.1 @0'],
  },
  {
    name: 'the router goes down',
    changes: [{ op: 'put', noun: 'router', record: aRouter('r1', { adminStateUp: false }) }],
    want: ['p1: 10.0.0.1 @0'],
  },
  {
    name: 'the router comes up again',
    routers: [aRouter('r1', { adminStateUp: false })],
    former: [former('p1', '10.0.0.1', 50)],
    changes: [{ op: 'put', noun: 'router', record: up }],
    want: [],
  },
  { name: 'its port goes down', changes: [put({ ...inner, adminStateUp: false })], want: ['p1: 10.0.0.1 @0'] },
  { name: 'it gets another address', changes: [put(aRouterPort('p1', 's=10.0.0.254'))], want: ['p1: 10.0.0.1 @0'] },
  {
    name: 'and another one again',
    ports: [aRouterPort('p1', 's=10.0.0.254')],
    former: [former('p1', '10.0.0.1', 50)],
    changes: [put(aRouterPort('p1', 's=10.0.0.253'))],
    want: ['p1: 10.0.0.254 10.0.0.1 @0'],
  },
  {
    name: 'it is attached again',
    ports: [],
    former: [former('p1', '10.0.0.1', 50)],
    changes: [put(inner)],
    want: [],
  },
  { name: 'nothing about it changes', changes: [put({ ...inner, name: 'renamed' })], want: [] },
  { name: 'the port of a guest goes', ports: [aPort('p1', ['s=10.0.0.7'])], changes: [detach], want: [] },
  {
    name: 'the subnet goes too',
    changes: [detach, { op: 'delete', noun: 'subnet', id: 's' }],
    want: [],
  },
  {
    name: 'an old one is forgotten on the way',
    former: [former('old', '10.9.9.9', 40 * 86_400), former('young', '10.8.8.8', 86_400)],
    changes: [detach],
    want: ['young: 10.8.8.8 @86400', 'p1: 10.0.0.1 @0'],
  },
]

for (const { name, routers = [up], ports = [inner], former: known = [], changes, want } of cases)
  test(`what is left of a router's interface: ${name}`, () => {
    const before = { ...emptyRecordSet(), router: byId(routers), port: byId(ports), former_interface: byId(known) }
    const own = formerInterfaceChanges(before satisfies Touched, changes, NOW)
    const after = applyChanges(before, [...changes, ...own])
    assert.deepEqual(
      [...after.former_interface.values()].map(
        ({ id, fixedIps, detachedAt }) =>
          `${id}: ${fixedIps.map(({ ipAddress }) => ipAddress).join(' ')} @${NOW - detachedAt}`,
      ),
      want,
    )
  })

const around = {
  subnet: (id: SubnetId) => (id === 's' ? aSubnet('s', '10.0.0.0/24') : undefined),
  portOn: () => undefined as { id: PortId } | undefined,
  attached: [],
}
const standings: readonly { name: string; given: Partial<typeof around>; want: number }[] = [
  { name: 'while nothing speaks against it', given: {}, want: 1 },
  { name: 'not when the subnet is gone', given: { subnet: () => undefined }, want: 0 },
  { name: 'not when another port has the address', given: { portOn: () => ({ id: 'other' as PortId }) }, want: 0 },
  { name: 'while its own port still has it', given: { portOn: () => ({ id: 'p1' as PortId }) }, want: 1 },
  {
    name: 'not when the router serves the same range elsewhere',
    given: { attached: [aSubnet('t', '10.0.0.0/16', { networkId: 'b' as NetworkId })] as never },
    want: 0,
  },
]
for (const { name, given, want } of standings)
  test(`a former interface is answered for ${name}`, () => {
    assert.equal(standingFixedIps(former('p1', '10.0.0.1', 5), { ...around, ...given }).length, want)
  })
