import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MacAddress } from '../inventory/records/address.ts'
import { driftBetween } from './drift.ts'
import type { Observed, ObservedBridge, ObservedNamespace } from './host.ts'
import { NO_FIREWALL } from './namespace.ts'

const device = {
  name: 'ns-1',
  peer: 'tap-1',
  bridge: 'brq1',
  mac: 'fa:16:3e:00:00:01' as MacAddress,
  mtu: 1450,
  addresses: ['10.0.0.2/24'],
  up: true,
}
const namespace: ObservedNamespace = {
  name: 'qdhcp-1',
  isOurs: true,
  isEmptyName: false,
  sysctls: {},
  devices: [device],
  routes: [],
  firewall: NO_FIREWALL,
  listening: new Set(),
  programs: [],
}
const bridge: ObservedBridge = { name: 'brq1', mtu: 1450, up: true, owner: 'us', ports: ['tap-1'] }

function seen(one: Partial<ObservedNamespace> | undefined, other: Partial<ObservedBridge> | undefined): Observed {
  return {
    namespaces: new Map(one === undefined ? [] : [['qdhcp-1', { ...namespace, ...one }]]),
    bridges: new Map(other === undefined ? [] : [['brq1', { ...bridge, ...other }]]),
    dhcpNetworks: new Set(),
    portSecurity: undefined,
    switchPorts: new Set(),
    unreadable: new Map(),
  }
}

describe('what others have changed', () => {
  const rows = [
    { name: 'nothing', now: seen({}, {}), want: [] },
    { name: 'an equal copy', now: seen({ devices: [{ ...device }] }, {}), want: [] },
    {
      name: 'an address',
      now: seen({ devices: [{ ...device, addresses: [] }] }, {}),
      want: ['devices of qdhcp-1 changed'],
    },
    {
      name: 'rules and sysctls',
      now: seen({ firewall: { 4: [{ name: 'nat', chains: ['x'], rules: [] }], 6: [] }, sysctls: { a: '1' } }, {}),
      want: ['firewall, sysctls of qdhcp-1 changed'],
    },
    {
      name: 'sockets and programs, of which we are told otherwise',
      now: seen({ listening: new Set(['a']) }, {}),
      want: [],
    },
    { name: 'a guest that is plugged in', now: seen({}, { ports: ['tap-1', 'tap-guest'] }), want: [] },
    { name: 'a bridge that is down', now: seen({}, { up: false }), want: ['bridge brq1 changed'] },
    { name: 'a bridge that is gone', now: seen({}, undefined), want: ['bridge brq1 was deleted'] },
    {
      name: 'what we changed ourselves',
      now: seen({ devices: [] }, { mtu: 9000 }),
      touched: ['qdhcp-1', 'brq1'],
      want: [],
    },
  ]
  for (const { name, now, touched, want } of rows)
    it(name, () => assert.deepEqual(driftBetween(seen({}, {}), now, new Set(touched)), want))

  it('a bridge of others is not ours to tell', () => {
    assert.deepEqual(
      driftBetween(seen({}, { owner: 'others' }), seen({}, { owner: 'others', up: false }), new Set()),
      [],
    )
  })
})
