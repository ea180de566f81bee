import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeHost } from '../../test/fakes/fake-host.ts'
import { aDhcpPort, aNetwork, aPort, aSubnet, byId } from '../../test/support/network-records.ts'
import type { NetworkId } from '../inventory/records/ids.ts'
import { emptyRecordSet } from '../inventory/records/records.ts'
import { silentLog } from '../observe/log.ts'
import { DATAPATH_DEFAULTS } from './config.ts'
import { Planner } from './desired.ts'
import { planPass, reconcileOnce } from './reconcile.ts'

const config = { ...DATAPATH_DEFAULTS, statePath: '/s' }

function networks(count: number) {
  const ids = Array.from({ length: count }, (_, i) => `${String(i).padStart(8, '0')}-net` as NetworkId)
  return {
    ...emptyRecordSet(),
    network: byId(ids.map((id) => aNetwork({ id }))),
    subnet: byId(ids.map((networkId) => aSubnet(`s${networkId}`, '10.0.0.0/24', { networkId }))),
    port: byId(ids.map((networkId) => ({ ...aDhcpPort(networkId, `s${networkId}=10.0.0.2`), networkId }))),
  }
}

test('what does not change stays the same object, and is not compared again', async () => {
  const records = networks(20)
  const planner = new Planner()
  const host = new FakeHost()
  const settled = new WeakMap()
  const before = planner.desired(records, config, 0)
  await reconcileOnce({ host, log: silentLog, desired: () => before, settled })
  const observed = await host.observe()
  assert.deepEqual(planPass(before, observed, settled).flat(), [])
  assert.ok([...observed.namespaces].every(([name, seen]) => settled.get(seen) === before.namespaces.get(name)))

  const guest = { ...aPort('guest', ['s00000003-net=10.0.0.9']), networkId: '00000003-net' as NetworkId }
  const after = planner.desired({ ...records, port: new Map([...records.port, ['guest', guest]]) }, config, 0)
  const changed = [...after.namespaces].filter(([name, one]) => one !== before.namespaces.get(name))
  assert.deepEqual(
    changed.map(([name]) => name),
    ['qdhcp-00000003-net'],
  )
  assert.deepEqual(
    planPass(after, observed, settled)
      .flat()
      .map(({ where }) => where),
    ['qdhcp-00000003-net'],
  )
})

test('another configuration makes everything anew', () => {
  const records = networks(2)
  const planner = new Planner()
  const before = planner.desired(records, config, 0)
  const after = planner.desired(records, { ...config, dnsDomain: 'example.org' }, 0)
  assert.ok([...after.namespaces].every(([name, one]) => one !== before.namespaces.get(name)))
})

test('a network that nobody is on has no bridge, and says why nothing answers there', () => {
  const network = aNetwork({ id: 'empty-net' as NetworkId })
  const records = { ...emptyRecordSet(), network: new Map([[network.id as string, network]]) }
  const { bridges, namespaces, decisions } = new Planner().desired(records, config, 0)
  assert.deepEqual([bridges.size, namespaces.size], [0, 0])
  assert.deepEqual(
    decisions.map(({ id, because }) => [id, because]),
    [['empty-net', 'the network has no subnet']],
  )
})
