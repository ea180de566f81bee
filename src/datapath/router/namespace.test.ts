import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aNetwork, aPort, aRoute, aRouter, aRouterPort, aSubnet, byId } from '../../../test/support/network-records.ts'
import type { Namespace } from '../../host/namespace.ts'
import type { IpAddress } from '../../inventory/records/address.ts'
import type { FloatingIp } from '../../inventory/records/floating-ip.ts'
import type { NetworkId, PortId, RouterId, SubnetId } from '../../inventory/records/ids.ts'
import { emptyRecordSet, type RecordSet } from '../../inventory/records/records.ts'
import type { Router } from '../../inventory/records/router.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import { DATAPATH_DEFAULTS, type DatapathConfig } from '../config.ts'
import { gatherRouters } from './gather.ts'
import { routerNamespace } from './namespace.ts'
import { viewRouter } from './router-view.ts'

// One router on two networks, and an external one, changed one thing at a time.

const OTHER = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb' as NetworkId
const EXTERNAL = 'cccccccc-cccc-4ccc-8ccc-cccccccccccc' as NetworkId
const NOW = 1_800_000_000

const a4 = aSubnet('a4', '10.0.0.0/24', { gatewayIp: '10.0.0.1' as IpAddress })
const a6 = aSubnet('a6', 'fd00::/64', { gatewayIp: 'fd00::1' as IpAddress, ipv6RaMode: 'slaac' })
const b4 = aSubnet('b4', '10.1.0.0/24', { networkId: OTHER, gatewayIp: '10.1.0.1' as IpAddress })
const x4 = aSubnet('x4', '203.0.113.0/24', { networkId: EXTERNAL, gatewayIp: '203.0.113.1' as IpAddress })
const x6 = aSubnet('x6', '2001:db8::/64', { networkId: EXTERNAL, gatewayIp: '2001:db8::1' as IpAddress })
const inA = aRouterPort('11111111-11', 'a4=10.0.0.1')
const inB = { ...aRouterPort('22222222-22', 'b4=10.1.0.1'), networkId: OTHER }
const guest = aPort('guest', ['a4=10.0.0.7'], { deviceOwner: 'compute:nova', deviceId: 'i' })
const gateway = {
  networkId: EXTERNAL,
  enableSnat: true,
  fixedIps: [
    { subnetId: 'x4' as SubnetId, ipAddress: '203.0.113.5' as IpAddress },
    { subnetId: 'x6' as SubnetId, ipAddress: '2001:db8::5' as IpAddress },
  ],
}
const floatingIp: FloatingIp = {
  id: 'f' as FloatingIp['id'],
  projectId: a4.projectId,
  networkId: EXTERNAL,
  address: '203.0.113.9' as IpAddress,
  portId: guest.id,
  fixedIpAddress: '10.0.0.7' as IpAddress,
}

interface Given {
  readonly router?: Partial<Router>
  readonly records?: Partial<RecordSet>
  readonly config?: Partial<DatapathConfig>
}

function plan({ router = {}, records = {}, config: change = {} }: Given) {
  const config = { ...DATAPATH_DEFAULTS, statePath: '/s', ...change }
  const all: RecordSet = {
    ...emptyRecordSet(),
    network: byId([
      aNetwork(),
      aNetwork({ id: OTHER, mtu: 9000 }),
      aNetwork({ id: EXTERNAL, mtu: 1500, external: true }),
    ]),
    subnet: byId<Subnet>([a4, a6, b4, x4, x6]),
    router: byId([aRouter('r1', router)]),
    port: byId([inA, inB, guest]),
    ...records,
  }
  const [first] = gatherRouters(all, config, NOW).routers
  return first === undefined ? undefined : routerNamespace(viewRouter(first), config)
}

function namespaceOf(given: Given): Namespace {
  return plan(given)?.namespace ?? assert.fail('no namespace')
}

const rulesOf = (namespace: Namespace, family: 4 | 6, table: string) =>
  namespace.firewall[family].find(({ name }) => name === table)?.rules ?? []

test('each interface is on its network’s bridge, with its MTU, MAC and addresses', () => {
  assert.deepEqual(namespaceOf({}).devices, [
    {
      name: 'qr-11111111-11',
      peer: 'tap11111111-11',
      bridge: 'brqaaaaaaaa-aa',
      mac: inA.macAddress,
      mtu: 1450,
      addresses: ['10.0.0.1/24'],
    },
    {
      name: 'qr-22222222-22',
      peer: 'tap22222222-22',
      bridge: 'brqbbbbbbbb-bb',
      mac: inB.macAddress,
      mtu: 9000,
      addresses: ['10.1.0.1/24'],
    },
  ])
})

test('a router without subnets still has a proxy', () => {
  const { listeners, devices } = namespaceOf({ records: { port: new Map() } })
  assert.deepEqual(devices, [])
  assert.deepEqual(listeners, [{ address: '::', port: 9697, device: null, stamp: { routerId: 'r1' } }])
})

test('a router that is down, or that there is not, has no namespace', () => {
  assert.equal(plan({ router: { adminStateUp: false } })?.namespace, undefined)
  assert.equal(plan({ records: { router: new Map() } }), undefined)
})

test('without IPv6 the proxy listens on IPv4, and nothing of IPv6 is set', () => {
  const { listeners, sysctls, firewall, programs } = namespaceOf({ config: { hasIpv6: false } })
  assert.equal(listeners[0]?.address, '0.0.0.0')
  assert.deepEqual(firewall[6], [])
  assert.deepEqual(programs, [])
  assert.ok(!Object.keys(sysctls).some((name) => name.includes('ipv6')))
})

test('metadata_port and metadata_access_mark are where they have to be', () => {
  const namespace = namespaceOf({ config: { metadataPort: 8888, metadataAccessMark: 0xab } })
  assert.equal(namespace.listeners[0]?.port, 8888)
  const all = [4, 6].flatMap((family) =>
    ['mangle', 'nat', 'filter'].flatMap((table) => rulesOf(namespace, family as 4 | 6, table)),
  )
  assert.equal(all.filter((rule) => rule.includes('0xab/0xffff')).length, 6)
  assert.equal(all.filter((rule) => rule.endsWith('--to-ports 8888') || rule.includes('--dport 8888')).length, 4)
  assert.ok(!all.some((rule) => /9697|0x1\//.test(rule)))
})

test('enable_metadata_proxy off: no proxy and no way to one, and what is for the metadata address leaves all the same not', () => {
  const namespace = namespaceOf({ config: { enableMetadataProxy: false } })
  assert.deepEqual(namespace.listeners, [])
  for (const family of [4, 6] as const) {
    const rules = ['mangle', 'nat', 'filter'].flatMap((table) => rulesOf(namespace, family, table))
    assert.ok(!rules.some((rule) => /REDIRECT|9697|-INPUT -m mark/.test(rule)))
    assert.ok(rules.some((rule) => rule.includes('--dport 80 -j MARK --set-xmark 0x1/0xffff')))
    assert.ok(rules.includes('-A neutron-l3-agent-scope -m mark --mark 0x1/0xffff -j DROP'))
  }
})

test('an external gateway: a device with its addresses, default routes, and SNAT', () => {
  const namespace = namespaceOf({ router: { externalGateway: gateway } })
  const device = namespace.devices.find(({ name }) => name.startsWith('qg-')) ?? assert.fail('no qg- device')
  assert.deepEqual([device.bridge, device.addresses], ['brqcccccccc-cc', ['203.0.113.5/24', '2001:db8::5/64']])
  assert.match(device.mac, /^fa:16:3e(:[0-9a-f]{2}){3}$/)
  assert.deepEqual(namespace.routes, [
    { destination: '0.0.0.0/0', gateway: '203.0.113.1', device: 'qg-r1' },
    { destination: '::/0', gateway: '2001:db8::1', device: 'qg-r1' },
  ])
  assert.deepEqual(
    rulesOf(namespace, 4, 'nat').filter((rule) => rule.includes('qg-') || rule.includes('SNAT')),
    [
      '-A neutron-l3-agent-POSTROUTING ! -o qg-r1 -m conntrack ! --ctstate DNAT -j ACCEPT',
      '-A neutron-l3-agent-snat -o qg-r1 -j SNAT --to-source 203.0.113.5 --random-fully',
      '-A neutron-l3-agent-snat -m mark ! --mark 0x2/0xffff -m conntrack --ctstate DNAT -j SNAT --to-source 203.0.113.5 --random-fully',
    ],
  )
  const drops = (family: 4 | 6) => rulesOf(namespace, family, 'filter').filter((rule) => rule.includes('-o qg-'))
  assert.deepEqual([drops(4).length, drops(6).length], [0, 1], 'what is translated comes from any scope')
})

test('enable_snat off: what leaves keeps its address', () => {
  const namespace = namespaceOf({ router: { externalGateway: { ...gateway, enableSnat: false } } })
  const snat = rulesOf(namespace, 4, 'nat').filter((rule) => rule.includes('-o qg-') && rule.includes('SNAT'))
  assert.deepEqual(snat, [])
  assert.ok(rulesOf(namespace, 4, 'filter').some((rule) => rule.includes('-o qg-r1 -m mark ! --mark 0x4000000')))
})

test('a floating IP stands for the fixed IP in both directions, and is on the external device', () => {
  const namespace = namespaceOf({ router: { externalGateway: gateway }, records: { floating_ip: byId([floatingIp]) } })
  assert.ok(namespace.devices.find(({ name }) => name === 'qg-r1')?.addresses.includes('203.0.113.9/32'))
  assert.deepEqual(
    rulesOf(namespace, 4, 'nat').filter((rule) => rule.includes('203.0.113.9')),
    [
      '-A neutron-l3-agent-PREROUTING -d 203.0.113.9/32 -j DNAT --to-destination 10.0.0.7',
      '-A neutron-l3-agent-OUTPUT -d 203.0.113.9/32 -j DNAT --to-destination 10.0.0.7',
      '-A neutron-l3-agent-float-snat -s 10.0.0.7/32 -j SNAT --to-source 203.0.113.9 --random-fully',
    ],
  )
})

test('a floating IP is the business of the router with the subnet’s gateway address', () => {
  const second = aRouterPort('33333333-33', 'a4=10.0.0.2')
  const records = {
    router: byId([aRouter('r0', { externalGateway: gateway }), aRouter('r1', { externalGateway: gateway })]),
    port: byId([{ ...second, deviceId: 'r0' }, inA, guest]),
    floating_ip: byId([floatingIp]),
  }
  const config = { ...DATAPATH_DEFAULTS, statePath: '/s' }
  const all = { ...emptyRecordSet(), network: byId([aNetwork()]), subnet: byId<Subnet>([a4]), ...records }
  const owners = gatherRouters(all, config, NOW).routers.flatMap(({ id, floatingIps }) => floatingIps.map(() => id))
  assert.deepEqual(owners, ['r1'])
})

test('extra routes go by the interface that reaches their next hop; one that none reaches is left out', () => {
  const routes = [aRoute('192.0.2.0/24', '10.1.0.9'), aRoute('198.51.100.0/24', '172.16.0.1')]
  assert.deepEqual(namespaceOf({ router: { routes } }).routes, [
    { destination: '192.0.2.0/24', gateway: '10.1.0.9', device: 'qr-22222222-22' },
  ])
})

const modes = [
  { mode: 'slaac', autonomous: 'on', flags: [] },
  { mode: 'dhcpv6-stateless', autonomous: 'on', flags: ['AdvOtherConfigFlag'] },
  { mode: 'dhcpv6-stateful', autonomous: 'off', flags: ['AdvManagedFlag'] },
] as const
for (const { mode, autonomous, flags } of modes)
  test(`router advertisements: ${mode}`, () => {
    const subnet = { ...a6, ipv6RaMode: mode, dnsNameservers: ['2001:db8::53', '192.0.2.53'] as IpAddress[] }
    const port = aRouterPort('11111111-11', 'a4=10.0.0.1', 'a6=fd00::1')
    const { programs } = namespaceOf({ records: { subnet: byId([a4, subnet, b4]), port: byId([port, inB]) } })
    const radvd = programs.find((program) => program.kind === 'radvd')
    const text = radvd?.files['radvd.conf'] ?? ''
    assert.equal(text.match(/interface/g)?.length, 1, 'only where a subnet is advertised')
    assert.deepEqual(text.match(/Adv(OtherConfig|Managed)Flag/g) ?? [], flags)
    assert.match(text, new RegExp(`prefix fd00::/64\\n.*\\n.*\\n +AdvAutonomous ${autonomous};`))
    assert.equal(/RDNSS 2001:db8::53 \{\};/.test(text), mode !== 'dhcpv6-stateful')
    assert.match(text, /route fe80::a9fe:a9fe\/128/)
  })

test('no subnet wants advertisements: no radvd', () => {
  const port = aRouterPort('11111111-11', 'a4=10.0.0.1', 'a6=fd00::1')
  const subnet = byId<Subnet>([a4, { ...a6, ipv6RaMode: null }, b4])
  assert.deepEqual(namespaceOf({ records: { subnet, port: byId([port, inB]) } }).programs, [])
})

const formerB = {
  id: inB.id,
  routerId: 'r1' as RouterId,
  networkId: OTHER,
  macAddress: inB.macAddress,
  fixedIps: inB.fixedIps,
  detachedAt: NOW - 100,
}

test('a former interface answers for metadata and forwards nothing', () => {
  const namespace = namespaceOf({ records: { port: byId([inA]), former_interface: byId([formerB]) } })
  assert.deepEqual(
    namespace.devices.map(({ name, addresses }) => [name, addresses]),
    [
      ['qr-11111111-11', ['10.0.0.1/24']],
      ['qr-22222222-22', ['10.1.0.1/24']],
    ],
  )
  for (const family of [4, 6] as const) {
    const rules = rulesOf(namespace, family, 'filter').filter((rule) => rule.includes('qr-22222222-22'))
    assert.deepEqual(rules, [
      '-A neutron-l3-agent-FORWARD -i qr-22222222-22 -j DROP',
      '-A neutron-l3-agent-FORWARD -o qr-22222222-22 -j DROP',
    ])
  }
})

const endings: readonly { readonly name: string; readonly given: Given }[] = [
  { name: 'when the leases of that time have ended', given: { config: { dhcpLeaseDuration: 100 } } },
  { name: 'when metadata in routers is switched off', given: { config: { enableMetadataProxy: false } } },
  {
    name: 'when another port takes the address',
    given: {
      records: { port: byId([{ ...inB, id: 'other' as PortId, deviceId: 'r2' }]), former_interface: byId([formerB]) },
    },
  },
  {
    name: 'when the subnet goes',
    given: { records: { subnet: byId<Subnet>([a4]), port: new Map(), former_interface: byId([formerB]) } },
  },
]
for (const { name, given } of endings)
  test(`the namespace of a deleted router stays for its former interfaces, and goes ${name}`, () => {
    const gone = { router: new Map(), port: new Map(), former_interface: byId([formerB]) }
    assert.ok(plan({ records: gone })?.namespace)
    assert.equal(plan({ ...given, records: { ...gone, ...given.records } })?.namespace, undefined)
  })

test('an interface that changed its address keeps the former one beside it', () => {
  const former = { ...formerB, fixedIps: [{ subnetId: 'b4' as SubnetId, ipAddress: '10.1.0.254' as IpAddress }] }
  const { devices } = namespaceOf({ records: { former_interface: byId([former]) } })
  assert.deepEqual(devices.find(({ name }) => name === 'qr-22222222-22')?.addresses, ['10.1.0.1/24', '10.1.0.254/24'])
})
