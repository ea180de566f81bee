import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeHost } from '../../test/fakes/fake-host.ts'
import { aDhcpPort, aNetwork, aPort, aSubnet, NETWORK } from '../../test/support/network-records.ts'
import { openInventory } from '../inventory/catalog.ts'
import { openMemoryStore } from '../inventory/memory-store.ts'
import type { NetworkId } from '../inventory/records/ids.ts'
import type { Change } from '../inventory/records/records.ts'
import { silentLog } from '../observe/log.ts'
import { DATAPATH_DEFAULTS } from './config.ts'
import { Planner } from './desired.ts'
import { Reconciler } from './reconciler.ts'
import { resumedListeners } from './resume.ts'
import { datapathStatus, plannedSteps } from './status.ts'

const OTHER = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb' as NetworkId
const put = (noun: 'network' | 'subnet' | 'port', record: unknown) => ({ op: 'put', noun, record }) as Change
const changes = [
  put('network', aNetwork()),
  put('subnet', aSubnet('s', '10.0.0.0/24')),
  put('port', aDhcpPort('dddddddd-dd', 's=10.0.0.2')),
  put('network', aNetwork({ id: OTHER, name: 'down', adminStateUp: false })),
  put('port', { ...aPort('x', []), networkId: OTHER }),
]

async function running() {
  const host = new FakeHost()
  const store = openMemoryStore()
  await store.commit(changes, 0)
  const inventory = openInventory(store)
  await inventory.ready
  const config = { ...DATAPATH_DEFAULTS, statePath: '/s' }
  const planner = new Planner()
  let clock = Date.UTC(2030, 0, 1)
  const reconciler = new Reconciler({
    source: inventory,
    desired: (records, now) => planner.desired(records, config, now),
    resume: (observed) => resumedListeners(observed, config),
    host,
    log: silentLog,
    now: () => (clock += 1_000),
  })
  const status = () => datapathStatus(reconciler.state ?? assert.fail('no pass yet'))
  return { host, reconciler, status }
}

test('status tells of each network where guests are sent, what answers, and what was done last', async () => {
  const { reconciler, status } = await running()
  await reconciler.look()
  await reconciler.look()
  const [first, second] = status().namespaces
  assert.deepEqual(
    [first?.where, first?.exists, first?.answers, first?.sends_guests, first?.because],
    [`qdhcp-${NETWORK}`, true, true, true, 'a subnet with DHCP is isolated'],
  )
  assert.deepEqual(first?.listening, ['169.254.169.254:80'])
  assert.deepEqual(first?.programs, [{ kind: 'dnsmasq', pid: 1 }])
  assert.deepEqual(first?.actions.at(-1)?.why, 'dnsmasq does not run')
  assert.deepEqual([second?.exists, second?.because], [false, 'the network is down'])
})

test('what fails is told with its beginning until it succeeds, and the others are served', async () => {
  const { host, reconciler, status } = await running()
  host.broken.set(`qdhcp-${NETWORK}`, 'Operation not permitted')
  await reconciler.look()
  await reconciler.look()
  const trouble = status().namespaces[0]?.trouble
  assert.match(trouble?.message ?? '', /Operation not permitted/)
  assert.equal(trouble?.times, 2)
  assert.ok((trouble?.since ?? '') < status().at)
  host.broken.clear()
  await reconciler.look()
  assert.equal(status().namespaces[0]?.trouble, null)
})

test('a preview says what would be done and does nothing', async () => {
  const { host, reconciler } = await running()
  const steps = plannedSteps(await reconciler.preview())
  assert.ok(steps.some(({ what }) => what === `creating namespace qdhcp-${NETWORK}`))
  assert.ok(steps.every(({ why }) => why !== ''))
  assert.equal(host.print(), '')
  await reconciler.look()
  assert.deepEqual(plannedSteps(await reconciler.preview()), [])
})
