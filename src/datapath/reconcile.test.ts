import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeHost } from '../../test/fakes/fake-host.ts'
import { aDhcpPort, aNetwork, aPort, aRouterPort, aSubnet, byId, NETWORK } from '../../test/support/network-records.ts'
import { NO_FIREWALL } from '../host/namespace.ts'
import type { IpAddress } from '../inventory/records/address.ts'
import type { NetworkId, PortId } from '../inventory/records/ids.ts'
import type { Network } from '../inventory/records/network.ts'
import type { Port } from '../inventory/records/port.ts'
import { emptyRecordSet } from '../inventory/records/records.ts'
import type { Subnet } from '../inventory/records/subnet.ts'
import { silentLog } from '../observe/log.ts'
import { DATAPATH_DEFAULTS, type DatapathConfig } from './config.ts'
import { Planner } from './desired.ts'
import { type Desired, NOTHING } from './plan.ts'
import { type Datapath, reconcileOnce } from './reconcile.ts'

// One machine walked through states; after each it is compared as text, and a second pass must find nothing to do.

const DHCP_ID = 'dddddddd-dddd-4ddd-8ddd-dddddddddddd'
const NETNS = `qdhcp-${NETWORK}`

interface Given {
  readonly networks?: readonly Network[]
  readonly subnets?: readonly Subnet[]
  readonly ports?: readonly Port[]
  readonly config?: Partial<DatapathConfig>
}

const v4 = aSubnet('s4', '10.0.0.0/24', { gatewayIp: '10.0.0.1' as IpAddress })
const v6 = aSubnet('s6', 'fd00::/64', { ipv6AddressMode: 'slaac' })
const dhcp = aDhcpPort(DHCP_ID, 's4=10.0.0.2')
const guest = aPort('eeeeeeee-1111', ['s4=10.0.0.7'])

function desired({ networks = [aNetwork()], subnets = [v4], ports = [dhcp], config = {} }: Given) {
  const records = { ...emptyRecordSet(), network: byId(networks), subnet: byId(subnets), port: byId(ports) }
  return new Planner().desired(records, { ...DATAPATH_DEFAULTS, statePath: '/s', ...config }, 0)
}

function lines(text: string): string {
  const [first = '', ...rest] = text.split('\n').slice(1)
  const indent = first.length - first.trimStart().length
  return [first, ...rest]
    .map((line) => line.slice(indent))
    .join('\n')
    .trimEnd()
}

const range4 = '--dhcp-range=set:subnet-s4,10.0.0.0,static,255.255.255.0,86400s'
const isolated = `
  bridge brqaaaaaaaa-aa mtu 1450 ports tapdddddddd-dd
  netns ${NETNS}
    ns-dddddddd-dd peer tapdddddddd-dd on brqaaaaaaaa-aa mtu 1450
      10.0.0.2/24
      169.254.169.254/32
    0.0.0.0/0 via 10.0.0.1 dev ns-dddddddd-dd
    proxy 169.254.169.254:80 network=${NETWORK}
    dnsmasq ${range4}`

const states: readonly { readonly name: string; readonly given: Given; readonly want: string }[] = [
  { name: 'nothing', given: { networks: [], ports: [] }, want: '' },
  { name: 'one isolated network', given: {}, want: lines(isolated) },
  {
    name: 'a guest: only the files change',
    given: { ports: [dhcp, guest] },
    want: lines(`${isolated}
      ${guest.macAddress},host-10-0-0-7.openstacklocal,10.0.0.7`),
  },
  {
    name: 'a router that is not ours takes the gateway address: the proxy stays for those that hold the old route',
    given: { ports: [dhcp, aRouterPort('r', 's4=10.0.0.1')] },
    want: lines(`
      bridge brqaaaaaaaa-aa mtu 1450 ports tapdddddddd-dd
      netns ${NETNS}
        ns-dddddddd-dd peer tapdddddddd-dd on brqaaaaaaaa-aa mtu 1450
          10.0.0.2/24
          169.254.169.254/32
        0.0.0.0/0 via 10.0.0.1 dev ns-dddddddd-dd
        proxy 169.254.169.254:80 network=${NETWORK}
        dnsmasq ${range4}
          ${aRouterPort('r').macAddress},host-10-0-0-1.openstacklocal,10.0.0.1`),
  },
  { name: 'the router goes again', given: {}, want: lines(isolated) },
  {
    name: 'dual stack, another MTU, another address, no gateway',
    given: {
      networks: [aNetwork({ mtu: 9000 })],
      subnets: [{ ...v4, gatewayIp: null }, v6],
      ports: [aDhcpPort(DHCP_ID, 's4=10.0.0.3', 's6=fd00::3')],
    },
    want: lines(`
      bridge brqaaaaaaaa-aa mtu 9000 ports tapdddddddd-dd
      netns ${NETNS}
        ns-dddddddd-dd peer tapdddddddd-dd on brqaaaaaaaa-aa mtu 9000
          169.254.169.254/32
          10.0.0.3/24
          fd00::3/64
          fe80::a9fe:a9fe/64
        proxy 169.254.169.254:80 network=${NETWORK}
        proxy [fe80::a9fe:a9fe%ns-dddddddd-dd]:80 network=${NETWORK}
        dnsmasq ${range4}`),
  },
  {
    name: 'the same port with another MAC is another device',
    given: {
      subnets: [v4, v6],
      ports: [{ ...aDhcpPort(DHCP_ID, 's4=10.0.0.2'), macAddress: guest.macAddress }],
    },
    want: lines(`
      bridge brqaaaaaaaa-aa mtu 1450 ports tapdddddddd-dd
      netns ${NETNS}
        ns-dddddddd-dd peer tapdddddddd-dd on brqaaaaaaaa-aa mtu 1450
          10.0.0.2/24
          169.254.169.254/32
          fe80::a9fe:a9fe/64
        0.0.0.0/0 via 10.0.0.1 dev ns-dddddddd-dd
        proxy 169.254.169.254:80 network=${NETWORK}
        proxy [fe80::a9fe:a9fe%ns-dddddddd-dd]:80 network=${NETWORK}
        dnsmasq ${range4}`),
  },
  {
    name: 'the DHCP port is another: new device before the old goes',
    given: { ports: [{ ...dhcp, id: 'cccccccc-cccc-4' as PortId }] },
    want: lines(isolated.replaceAll('dddddddd-dd', 'cccccccc-cc')),
  },
  {
    name: 'metadata off: addresses and proxy go',
    given: { config: { enableIsolatedMetadata: false } },
    want: lines(isolated.replace(/\n.*169.254.169.254\/32/, '').replace(/\n.*proxy.*/, '')),
  },
  {
    name: 'the network goes down: nothing but the bridge that guests are on',
    given: { networks: [aNetwork({ adminStateUp: false })], ports: [dhcp, guest] },
    want: 'bridge brqaaaaaaaa-aa mtu 1450 ports -',
  },
  { name: 'and up again', given: {}, want: lines(isolated) },
  { name: 'the network is deleted: nothing left behind', given: { networks: [], ports: [] }, want: '' },
]

async function reconcile(deps: Omit<Datapath<Desired>, 'settled'>) {
  return (await reconcileOnce({ ...deps, settled: new WeakMap() })).report
}

test('one machine through all states, from each to the next, and a second pass finds nothing to do', async () => {
  const host = new FakeHost()
  for (const { name, given, want } of states) {
    const deps = { host, log: silentLog, desired: () => desired(given) }
    const first = await reconcile(deps)
    assert.deepEqual(
      first.failed.map(({ cause }) => cause.message),
      [],
      name,
    )
    assert.equal(sorted(host.print()), sorted(want), name)
    const second = await reconcile(deps)
    assert.deepEqual(second, { done: [], failed: [] }, `${name}: second pass`)
  }
})

/** Addresses of a device are a set. */
function sorted(text: string): string {
  return text.split('\n').sort().join('\n')
}

const drifts: readonly { readonly name: string; readonly damage: (host: FakeHost) => void; readonly want: string[] }[] =
  [
    {
      name: 'dnsmasq is dead',
      damage: (host) => Object.assign(host.namespaces.get(NETNS) ?? {}, { programs: [] }),
      want: ['program-start: dnsmasq does not run'],
    },
    {
      name: 'an address was deleted',
      damage: (host) => host.changeDevice(NETNS, 'ns-dddddddd-dd', { addresses: ['10.0.0.2/24'] }),
      want: [
        'address-add: address 169.254.169.254/32 is missing',
        'device-set: neighbours have to hear of 169.254.169.254/32',
      ],
    },
    {
      name: 'an address was added',
      damage: (host) =>
        host.changeDevice(NETNS, 'ns-dddddddd-dd', { addresses: ['10.0.0.2/24', '169.254.169.254/32', '10.9.9.9/24'] }),
      want: ['address-delete: no port has the address'],
    },
    {
      name: 'the device is down',
      damage: (host) => host.changeDevice(NETNS, 'ns-dddddddd-dd', { up: false }),
      want: ['device-set: ns-dddddddd-dd is down'],
    },
    {
      name: 'the device was unplugged',
      damage: (host) => host.changeDevice(NETNS, 'ns-dddddddd-dd', { bridge: '' }),
      want: ['device-set: tapdddddddd-dd is on no bridge'],
    },
    {
      name: 'checksums are left to hardware again',
      damage: (host) => host.changeDevice(NETNS, 'ns-dddddddd-dd', { offloads: true }),
      want: ['device-set: ns-dddddddd-dd leaves checksums to hardware'],
    },
    {
      name: 'dnsmasq runs from an earlier run',
      damage: (host) => {
        const namespace = host.namespaces.get(NETNS)
        if (namespace) namespace.programs = namespace.programs.map((one) => ({ ...one, files: undefined }))
      },
      want: ['program-reload: dnsmasq was started by an earlier run'],
    },
    {
      name: 'dnsmasq runs with other arguments',
      damage: (host) => {
        const namespace = host.namespaces.get(NETNS)
        if (namespace) namespace.programs = namespace.programs.map((one) => ({ ...one, arguments: ['--old'] }))
      },
      want: ['program-restart: dnsmasq runs with other arguments'],
    },
    {
      name: 'a sysctl was changed',
      damage: (host) => {
        const namespace = host.namespaces.get(NETNS)
        if (namespace) namespace.sysctls = { ...namespace.sysctls, 'net.ipv4.ip_nonlocal_bind': '0' }
      },
      want: ['sysctl-set: net.ipv4.ip_nonlocal_bind is 0'],
    },
    {
      name: 'the bridge is down',
      damage: (host) => Object.assign(host.bridges.values().next().value ?? {}, { up: false }),
      want: ['bridge-set: bridge is down'],
    },
  ]

for (const { name, damage, want } of drifts) {
  test(`drift is repaired, and nothing else is touched: ${name}`, async () => {
    const host = new FakeHost()
    const deps = { host, log: silentLog, desired: () => desired({}) }
    await reconcile(deps)
    const whole = host.print()
    damage(host)
    const report = await reconcile(deps)
    assert.deepEqual(
      report.done.map(({ command, reason }) => `${command.kind}: ${reason}`),
      want,
    )
    assert.equal(host.print(), whole)
  })
}

test('our own sockets and haproxy relieve each other: one comes beside the other, which then finishes', async () => {
  const host = new FakeHost()
  const key = `169.254.169.254:80 network=${NETWORK}`
  const config = { metadataProxySocket: '/s/proxy' }
  const turns = [
    { driver: 'native', want: undefined },
    { driver: 'haproxy', want: [`program-start beside ${key}`, 'listener-close relieved'] },
    { driver: 'native', want: ['listener-open beside true', 'program-stop relieved'] },
  ] as const
  for (const { driver, want } of turns) {
    const deps = {
      host,
      log: silentLog,
      desired: () => desired({ config: { ...config, metadataProxyDriver: driver } }),
    }
    const { done } = await reconcile(deps)
    const said = done.map(({ command }) => {
      const beside = 'beside' in command ? ` beside ${command.beside}` : ''
      return `${command.kind}${beside}${'relieved' in command ? ' relieved' : ''}`
    })
    if (want !== undefined) assert.deepEqual(said, want)
    assert.deepEqual(await reconcile(deps), { done: [], failed: [] })
  }
})

test('a name without a namespace is taken away and made anew', async () => {
  const host = new FakeHost()
  const empty = {
    sysctls: {},
    devices: [],
    routes: [],
    firewall: NO_FIREWALL,
    listening: new Set<string>(),
    programs: [],
  }
  host.namespaces.set(NETNS, { name: NETNS, isOurs: false, isEmptyName: true, ...empty })
  await reconcile({ host, log: silentLog, desired: () => desired({}) })
  assert.equal(sorted(host.print()), sorted(lines(isolated)))
})

test('a broken and an unreadable namespace do not stop the others, and the report names them', async () => {
  const host = new FakeHost()
  const ids = ['b', 'c', 'd'].map((letter) => letter.repeat(8) as NetworkId)
  const given = {
    networks: ids.map((id) => aNetwork({ id })),
    subnets: ids.map((id) => ({ ...v4, id: `s${id}` as Subnet['id'], networkId: id })),
    ports: ids.map((id) => ({ ...aDhcpPort(`p${id}`, `s${id}=10.0.0.2`), networkId: id })),
  }
  host.broken.set(`qdhcp-${ids[0]}`, 'Operation not permitted')
  host.unreadable.set(`qdhcp-${ids[1]}`, new Error('Too many open files'))
  const report = await reconcile({ host, log: silentLog, desired: () => desired(given) })
  assert.deepEqual([...host.namespaces.keys()], [`qdhcp-${ids[2]}`])
  assert.deepEqual(
    new Map(report.failed.map(({ where, command, cause }) => [where, `${command?.kind}: ${cause.message}`])),
    new Map([
      [`qdhcp-${ids[0]}`, 'netns-add: netns-add: Operation not permitted'],
      [`qdhcp-${ids[1]}`, 'undefined: Too many open files'],
    ]),
  )
})

test('a bridge somebody else is plugged into stays when its network goes', async () => {
  const host = new FakeHost()
  await reconcile({ host, log: silentLog, desired: () => desired({}) })
  const bridge = host.bridges.values().next().value
  if (bridge) bridge.ports = [...bridge.ports, 'tapsomeone']
  const deps = { host, log: silentLog, desired: () => desired({ networks: [], ports: [] }) }
  await reconcile(deps)
  assert.equal(host.print(), 'bridge brqaaaaaaaa-aa mtu 1450 ports tapsomeone')
  if (bridge) bridge.ports = []
  await reconcile(deps)
  assert.equal(host.print(), '')
})

test('what is kept of a network stays while the network is there, also over a teardown, and goes with it', async () => {
  const host = new FakeHost()
  const toward = (wanted: () => Desired) => reconcile({ host, log: silentLog, desired: wanted })
  await toward(() => desired({}))
  await toward(() => desired({ networks: [aNetwork({ adminStateUp: false })] }))
  await toward(() => NOTHING)
  assert.deepEqual(host.dhcpNetworks, new Set([NETWORK]))
  await toward(() => desired({ networks: [], ports: [] }))
  assert.deepEqual(host.dhcpNetworks, new Set())
})

test('what nobody has marked is taken when it is wanted, and never deleted', async () => {
  const host = new FakeHost()
  const free = {
    sysctls: {},
    devices: [],
    routes: [],
    firewall: NO_FIREWALL,
    listening: new Set<string>(),
    programs: [],
  }
  for (const name of [NETNS, 'qdhcp-free'])
    host.namespaces.set(name, { name, isOurs: false, isEmptyName: false, ...free })
  for (const name of ['brqaaaaaaaa-aa', 'brqfree'])
    host.bridges.set(name, { name, mtu: 1450, up: true, owner: 'nobody', ports: [] })
  await reconcile({ host, log: silentLog, desired: () => desired({}) })
  assert.deepEqual(
    [...host.namespaces.values()].map(({ isOurs }) => isOurs),
    [true, false],
  )
  assert.deepEqual(
    [...host.bridges.values()].map(({ owner }) => owner),
    ['us', 'nobody'],
  )
  await reconcile({ host, log: silentLog, desired: () => desired({ networks: [], ports: [] }) })
  assert.deepEqual([...host.namespaces.keys()], ['qdhcp-free'])
  assert.deepEqual([...host.bridges.keys()], ['brqfree'])
})

test('a bridge that another firstboot made is used as it is', async () => {
  const host = new FakeHost()
  const name = 'brqaaaaaaaa-aa'
  host.bridges.set(name, { name, mtu: 1450, up: true, owner: 'others', ports: [] })
  await reconcile({ host, log: silentLog, desired: () => desired({}) })
  await reconcile({ host, log: silentLog, desired: () => NOTHING })
  assert.equal(host.bridges.get(name)?.owner, 'others')
})
