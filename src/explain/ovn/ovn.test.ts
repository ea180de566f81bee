import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { healthy as onBridges, port } from '../../../test/support/healthy-guest.ts'
import { aNetwork } from '../../../test/support/network-records.ts'
import type { Command } from '../../host/host.ts'
import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import { explain } from '../explain.ts'
import { FAULTS } from '../faults.ts'
import type { BindingFacts, ChassisFacts, DatabaseAccess, OvnFacts, SwitchInterface, Traced } from './facts.ts'
import { OVN, OVN_FAULTS } from './way.ts'

const unknown = { unknown: 'not in this test' }
const tap: SwitchInterface = { name: 'tap1', bridge: 'br-int', ofport: 2, error: '', mtu: 1442, isUp: true }
const plugged: SwitchInterface = { ...tap, name: 'tapn0', ofport: 3 }
const database = (name: DatabaseAccess['name'], rest: Partial<DatabaseAccess> = {}): DatabaseAccess => ({
  name,
  remote: `unix:/${name}`,
  problem: undefined,
  daemonProblem: undefined,
  ...rest,
})
const binding: BindingFacts = {
  logicalPort: port.id,
  type: '',
  chassis: ['one'],
  requested: undefined,
  additional: [],
  isUp: true,
}
const metadataPort = { logicalPort: 'meta', mac: 'fa:16:3e:00:00:02' as MacAddress, cidrs: ['10.0.0.2/24'] }
const end = { isUp: true, mtu: 1442, computesChecksums: true }
const output = (to: string): Traced => ({ outcome: 'output', port: to })
const drop = (stage: string): Traced => ({ outcome: 'drop', stage, match: 'ip4', priority: 2001 })

const offered = (routes: readonly [string, string][]) => ({
  value: { address: '10.0.0.11', routes: new Map(routes), router: undefined },
})

const chassis = {
  databases: [database('Open_vSwitch'), database('OVN_Southbound')],
  programs: { value: new Set(['ovsdb-server', 'ovs-vswitchd', 'ovn-controller']) },
  hasNorthd: { value: true },
  northdBehind: 0,
  local: {
    value: { systemId: 'one', bridge: 'br-int', hasBridge: true, isUserspace: true, guest: [tap], metadata: [plugged] },
  },
  southbound: { value: { hasChassis: true, behind: 0, binding, metadataPorts: [metadataPort] } },
  veth: {
    value: {
      inner: 'tapn1',
      outer: 'tapn0',
      ifaceId: 'meta',
      mtu: 1442,
      ends: [
        { ...end, name: 'tapn1' },
        { ...end, name: 'tapn0' },
      ],
    },
  },
  traces: {
    value: {
      address: '169.254.169.254' as IpAddress,
      offer: offered([['169.254.169.254/32', '10.0.0.2']]),
      besides: undefined,
      request: output('meta'),
      answer: output(port.id),
    },
  },
} satisfies ChassisFacts

const healthy: OvnFacts = {
  ...onBridges,
  records: { ...onBridges.records, network: aNetwork({ mtu: 1442 }) },
  path: { ...onBridges.path, kind: 'ovn', netns: 'ovnmeta-n', isDhcpServed: false },
  plug: unknown,
  offers: unknown,
  claims: unknown,
  ovn: chassis,
}

/** Of a guest without IPv4. */
const byIpv6 = { address: 'fe80::a9fe:a9fe' as IpAddress, offer: { unknown: 'no lease is needed' } }

const ovn = (rest: Partial<ChassisFacts>): Partial<OvnFacts> => ({ ovn: { ...chassis, ...rest } })
const local = (rest: object) => ovn({ local: { value: { ...chassis.local.value, ...rest } } })
const southbound = (rest: object) => ovn({ southbound: { value: { ...chassis.southbound.value, ...rest } } })
const bound = (rest: Partial<BindingFacts>) => southbound({ binding: { ...binding, ...rest } })
const veth = (rest: object) => ovn({ veth: { value: { ...chassis.veth.value, ...rest } } })
const traces = (rest: object) => ovn({ traces: { value: { ...chassis.traces.value, ...rest } } })
const without = (program: string) =>
  ovn({ programs: { value: new Set([...chassis.programs.value].filter((each) => each !== program)) } })
const both = (a: Partial<OvnFacts>, b: Partial<OvnFacts>): Partial<OvnFacts> => ({
  ovn: { ...chassis, local: (b.ovn ?? chassis).local, southbound: (a.ovn ?? chassis).southbound },
})

const cases: readonly { readonly fault: string; readonly given: Partial<OvnFacts>; readonly says?: RegExp }[] = [
  { fault: 'vswitchd-dead', given: without('ovs-vswitchd') },
  { fault: 'ovn-controller-dead', given: without('ovn-controller') },
  { fault: 'northd-dead', given: ovn({ hasNorthd: { value: false } }) },
  { fault: 'northd-behind', given: ovn({ northdBehind: 2 }), says: /2 behind/ },
  {
    fault: 'switch-database-unreachable',
    given: ovn({ databases: [database('Open_vSwitch', { problem: 'refused' })], local: unknown }),
    says: /refused/,
  },
  { fault: 'chassis-unnamed', given: local({ systemId: undefined }) },
  {
    fault: 'southbound-unknown',
    given: ovn({ databases: [database('OVN_Southbound', { remote: undefined, problem: 'nobody says' })] }),
  },
  {
    fault: 'southbound-unreachable',
    given: ovn({ databases: [database('OVN_Southbound', { problem: 'refused' })], southbound: unknown }),
  },
  { fault: 'northbound-unreachable', given: ovn({ databases: [database('OVN_Northbound', { problem: 'refused' })] }) },
  {
    fault: 'database-disconnected',
    given: ovn({ databases: [database('OVN_Southbound', { daemonProblem: 'certificate has expired' })] }),
    says: /expired/,
  },
  { fault: 'chassis-missing', given: southbound({ hasChassis: false }), says: /chassis one/ },
  { fault: 'chassis-behind', given: southbound({ behind: 3 }) },
  { fault: 'port-unknown-to-ovn', given: southbound({ binding: undefined }) },
  { fault: 'port-elsewhere', given: both(bound({ chassis: ['two'] }), local({ guest: [] })), says: /two/ },
  { fault: 'port-not-plugged', given: both(bound({ chassis: [] }), local({ guest: [] })) },
  { fault: 'iface-id-twice', given: local({ guest: [tap, { ...tap, name: 'copy' }] }), says: /copy/ },
  { fault: 'interface-on-wrong-bridge', given: local({ guest: [{ ...tap, bridge: 'br-old' }] }) },
  {
    fault: 'interface-broken',
    given: local({ guest: [{ ...tap, ofport: -1, error: 'No such device' }] }),
    says: /No such/,
  },
  { fault: 'interface-broken', given: local({ guest: [{ ...tap, isUp: false }] }), says: /down/ },
  { fault: 'port-contested', given: bound({ chassis: ['one', 'two'] }), says: /two claims/ },
  { fault: 'port-requested-elsewhere', given: bound({ chassis: [], requested: 'two' }) },
  { fault: 'port-not-claimed', given: bound({ chassis: [] }) },
  { fault: 'port-not-claimed', given: bound({ isUp: false }), says: /not up/ },
  { fault: 'metadata-port-missing', given: southbound({ metadataPorts: [] }) },
  {
    fault: 'metadata-port-without-address',
    given: southbound({ metadataPorts: [{ ...metadataPort, cidrs: ['10.9.0.2/24'] }] }),
  },
  {
    fault: 'metadata-port-without-address',
    given: southbound({ metadataPorts: [{ ...metadataPort, mac: undefined }] }),
    says: /MAC/,
  },
  {
    fault: 'metadata-port-doubled',
    given: southbound({ metadataPorts: [metadataPort, { ...metadataPort, logicalPort: 'second' }] }),
  },
  {
    fault: 'address-doubled',
    given: { records: { ...healthy.records, found: [port, { id: 'twin' as typeof port.id }] } },
  },
  { fault: 'bridge-not-there', given: local({ hasBridge: false }) },
  {
    fault: 'veth-missing',
    given: {
      steps: {
        value: [
          {
            where: 'ovnmeta-n',
            command: { kind: 'device-add', device: { ifaceId: 'meta' } } as Command,
            why: 'tapn1 is missing',
          },
        ],
      },
    },
  },
  {
    fault: 'localport-taken',
    given: local({ metadata: [plugged, { ...plugged, name: 'stranger' }] }),
    says: /stranger/,
  },
  { fault: 'switch-port-missing', given: local({ metadata: [] }) },
  { fault: 'switch-port-missing', given: local({ metadata: [{ ...plugged, bridge: 'br-old' }] }), says: /br-old/ },
  { fault: 'switch-port-broken', given: local({ metadata: [{ ...plugged, ofport: -1 }] }) },
  { fault: 'veth-down', given: veth({ ends: [{ ...end, name: 'tapn0', isUp: false }] }) },
  { fault: 'ovn-mtu-hole', given: veth({ ends: [{ ...end, name: 'tapn0', mtu: 1300 }] }) },
  { fault: 'ovn-mtu-hole', given: local({ guest: [{ ...tap, mtu: 1300 }] }), says: /tap1/ },
  { fault: 'checksums-left', given: veth({ ends: [{ ...end, name: 'tapn0', computesChecksums: false }] }) },
  { fault: 'ovn-dhcp-missing', given: traces({ offer: { value: undefined } }) },
  { fault: 'metadata-route-missing', given: traces({ offer: offered([]) }) },
  {
    fault: 'acl-drops',
    given: traces({ answer: drop('ls_out_acl') }),
    says: /answer .*ls_out_acl by ip4 \(priority 1001\)/,
  },
  {
    fault: 'acl-drops',
    given: traces({ ...byIpv6, request: drop('ls_in_acl') }),
    says: /request to fe80::a9fe:a9fe .*ls_in_acl/,
  },
  { fault: 'flows-drop', given: traces({ request: drop('ls_in_apply_port_sec') }), says: /priority 2001/ },
  { fault: 'trace-astray', given: traces({ request: output('somebody') }) },
]

describe('an explanation on OVN', () => {
  it('finds nothing where nothing is wrong', () => {
    const { verdict, sentence, findings } = explain(OVN, healthy, 'web-1')
    assert.deepEqual(findings, [])
    assert.deepEqual([verdict, sentence], ['well', 'web-1 gets its metadata by ovn.'])
  })

  for (const { fault, given, says = /./ } of cases)
    it(`calls it ${fault}`, () => {
      const { findings, steps, hops } = explain(OVN, { ...healthy, ...given }, 'web-1')
      const [first] = findings
      assert.equal(first?.id, fault)
      assert.match(first.observed, says)
      const step = steps.find(({ id }) => id === first.step)
      assert.equal(step?.state, first.severity)
      assert.ok(hops.includes(step.on))
    })

  it('knows a guest that is answered from one that is not, while the Southbound is away', () => {
    const away = ovn({ databases: [database('OVN_Southbound', { problem: 'refused' })] })
    const reply = { status: undefined, milliseconds: 1, uuid: undefined }
    const silent = { value: { socket: '/s', isHop: true, state: 'connects' as const, reply } }
    assert.equal(explain(OVN, { ...healthy, ...away }, 'web-1').verdict, 'well')
    assert.equal(explain(OVN, { ...healthy, ...away, agent: silent }, 'web-1').verdict, 'broken')
  })

  it('needs no lease by IPv6, and no rules for IPv6 where there is IPv4', () => {
    const { request, answer } = chassis.traces.value
    const besides = { address: byIpv6.address, request: drop('ls_in_acl'), answer }
    for (const given of [traces({ ...byIpv6, request, answer }), traces({ besides })]) {
      const { findings, verdict } = explain(OVN, { ...healthy, ...given }, 'web-1')
      assert.deepEqual([findings, verdict], [[], 'well'])
    }
    const { steps } = explain(OVN, { ...healthy, ...traces({ besides }) }, 'web-1')
    const told = steps.find(({ id }) => id === 'trace')?.observed
    assert.match(told ?? '', /^169.*reaches meta, .*; fe80::a9fe:a9fe: request ends in ls_in_acl, answer reaches/)
  })

  it('claims nothing where nobody could look', () => {
    const dark = { programs: unknown, hasNorthd: unknown, local: unknown, southbound: unknown, veth: unknown }
    const { findings, verdict } = explain(
      OVN,
      {
        ...healthy,
        ...ovn({ ...dark, traces: unknown }),
        steps: unknown,
        inside: unknown,
        visit: unknown,
        way: unknown,
        agent: unknown,
      },
      'web-1',
    )
    assert.deepEqual([findings, verdict], [[], 'unknown'])
  })

  it('gives each fault one name, also beside those of bridges, and tries each', () => {
    const ids = [...FAULTS, ...OVN_FAULTS].map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
    const tried = new Set(cases.map(({ fault }) => fault))
    assert.deepEqual(
      OVN_FAULTS.map(({ id }) => id).filter((id) => !tried.has(id)),
      [],
    )
  })
})
