import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { FakeHost } from '../../test/fakes/fake-host.ts'
import {
  aDhcpPort,
  aNetwork,
  aPort,
  aRouter,
  aRouterPort,
  aSubnet,
  NETWORK,
} from '../../test/support/network-records.ts'
import type { ObservedNamespace } from '../host/host.ts'
import { openInventory } from '../inventory/catalog.ts'
import { openMemoryStore } from '../inventory/memory-store.ts'
import type { IpAddress, MacAddress } from '../inventory/records/address.ts'
import type { PortId, RouterId } from '../inventory/records/ids.ts'
import type { Change } from '../inventory/records/records.ts'
import { silentLog } from '../observe/log.ts'
import { DATAPATH_DEFAULTS } from './config.ts'
import { Planner } from './desired.ts'
import { Reconciler } from './reconciler.ts'
import { resumedListeners } from './resume.ts'

// A router that comes and goes, on a clock that only we move. What guests rely on is asked of the machine after each step:
// where does something answer that holds the address their route leads to?

const LEASE = 86_400
const config = { ...DATAPATH_DEFAULTS, statePath: '/s', dhcpLeaseDuration: LEASE }
const ROUTER = 'qrouter-r1'
const DHCP = `qdhcp-${NETWORK}`
const inner = aRouterPort('11111111-11', 's=10.0.0.1')
const put = (noun: 'network' | 'subnet' | 'router' | 'port', record: unknown) => ({ op: 'put', noun, record }) as Change
const remove = (noun: Change['noun'], id: string) => ({ op: 'delete', noun, id }) as Change

const surroundings = [
  put('network', aNetwork()),
  put('subnet', aSubnet('s', '10.0.0.0/24', { gatewayIp: '10.0.0.1' as IpAddress })),
  put('port', aDhcpPort('dddddddd-dd', 's=10.0.0.2')),
  put('port', aPort('guest', ['s=10.0.0.7'], { deviceOwner: 'compute:nova', deviceId: 'i1' })),
]
const attach = [put('router', aRouter('r1')), put('port', inner)]
const detach = [remove('port', inner.id)]
const deleteRouter = [...detach, remove('router', 'r1')]

let clock = 0
let host: FakeHost
let step: (...changes: readonly Change[]) => Promise<void>
let pass: (seconds: number) => Promise<void>
let behindRouter: () => readonly string[]

beforeEach(async () => {
  clock = 1_800_000_000_000
  host = new FakeHost()
  const now = () => clock
  const store = openMemoryStore(now)
  const inventory = openInventory(store)
  const planner = new Planner()
  const reconciler = new Reconciler({
    source: inventory,
    desired: (records, seconds) => planner.desired(records, config, seconds),
    resume: (observed) => resumedListeners(observed, config),
    host,
    log: silentLog,
    periodMilliseconds: 3_600_000,
    now,
  })
  await inventory.ready
  const look = async () => assert.deepEqual((await reconciler.look()).failed, [])
  step = async (...changes) => {
    const sequence = await store.commit(changes, inventory.sequence)
    while (inventory.sequence < sequence) await new Promise(setImmediate)
    await look()
  }
  pass = async (seconds) => {
    clock += seconds * 1_000
    await look()
  }
  behindRouter = () =>
    inventory
      .ports({ routerId: 'r1' as RouterId, formerSince: clock / 1_000 - LEASE }, { fixedIp: '10.0.0.7' as IpAddress })
      .map(({ id }) => id)
  await step(...surroundings)
})

/** Something answers at the DHCP port, and at the router's address. */
function answers(): { readonly dhcp: boolean; readonly router: boolean } {
  const holds = (name: string, address: string): ObservedNamespace | undefined => {
    const namespace = host.namespaces.get(name)
    return namespace?.devices.some(({ addresses }) => addresses.includes(address)) ? namespace : undefined
  }
  const dhcp = holds(DHCP, '169.254.169.254/32')
  const router = holds(ROUTER, '10.0.0.1/24')
  const redirects = router?.firewall[4].some(({ rules }) => rules.some((rule) => rule.endsWith('--to-ports 9697')))
  return { dhcp: (dhcp?.listening.size ?? 0) > 0, router: redirects === true && (router?.listening.size ?? 0) > 0 }
}

const forwards = () =>
  !host.namespaces
    .get(ROUTER)
    ?.firewall[4].some(({ rules }) => rules.some((rule) => /-FORWARD -i qr-.* DROP/.test(rule)))

test('attach: the DHCP port answers on for guests that hold its route', async () => {
  assert.deepEqual(answers(), { dhcp: true, router: false })
  await step(...attach)
  assert.deepEqual(answers(), { dhcp: true, router: true })
  await pass(LEASE * 2)
  assert.deepEqual(answers(), { dhcp: true, router: true })
})

const ways: readonly { readonly name: string; readonly changes: readonly Change[] }[] = [
  { name: 'the interface is detached', changes: detach },
  { name: 'the router is deleted', changes: deleteRouter },
  { name: 'the router goes down', changes: [put('router', aRouter('r1', { adminStateUp: false }))] },
  { name: 'the interface goes down', changes: [put('port', { ...inner, adminStateUp: false })] },
]
for (const { name, changes } of ways)
  test(`${name}: its address answers until every guest has renewed its lease, and forwards nothing`, async () => {
    await step(...attach)
    assert.ok(forwards())
    await step(...changes)
    assert.deepEqual(answers(), { dhcp: true, router: true })
    assert.ok(!forwards())
    assert.deepEqual(behindRouter(), ['guest'])
    await pass(LEASE - 1)
    assert.deepEqual(answers(), { dhcp: true, router: true })
    await pass(1)
    assert.deepEqual(answers(), { dhcp: true, router: false })
    assert.equal(host.namespaces.get(ROUTER)?.devices.length ?? 0, 0)
  })

test('once that time has passed, nobody is found behind the router any more', async () => {
  await step(...attach)
  await step(...detach)
  clock += (LEASE + 1) * 1_000
  assert.deepEqual(behindRouter(), [])
})

test('another port takes the address: the former interface goes at once', async () => {
  await step(...attach)
  await step(...detach)
  await step(
    put('port', {
      ...inner,
      id: '22222222-22' as PortId,
      macAddress: 'fa:16:3e:00:00:99' as MacAddress,
      deviceId: '',
      deviceOwner: '',
    }),
  )
  assert.deepEqual(answers(), { dhcp: true, router: false })
})

test('attached again: it forwards again, on the same device', async () => {
  await step(...attach)
  await step(...detach)
  await step(put('port', inner))
  assert.ok(forwards())
  assert.deepEqual(
    host.namespaces.get(ROUTER)?.devices.map(({ name }) => name),
    ['qr-11111111-11'],
  )
  await pass(LEASE * 2)
  assert.deepEqual(answers(), { dhcp: true, router: true })
})

test('the network goes: nothing is left', async () => {
  await step(...attach)
  await step(
    ...deleteRouter,
    remove('port', 'guest'),
    remove('port', 'dddddddd-dd'),
    remove('subnet', 's'),
    remove('network', NETWORK),
  )
  assert.equal(host.print(), '')
})
