import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeHost } from '../../test/fakes/fake-host.ts'
import { aDhcpPort, aNetwork, aSubnet, NETWORK } from '../../test/support/network-records.ts'
import { emptyRecordSet, type Noun, type RecordSet } from '../inventory/records/records.ts'
import { type Log, silentLog } from '../observe/log.ts'
import { DATAPATH_DEFAULTS } from './config.ts'
import { Planner } from './desired.ts'
import { Reconciler } from './reconciler.ts'
import { resumedListeners } from './resume.ts'

class ChangingInventory {
  records: RecordSet = emptyRecordSet()
  sequence = 0
  readonly #ready = Promise.withResolvers<void>()
  readonly ready = this.#ready.promise
  readonly #listeners = new Set<(nouns: ReadonlySet<Noun>) => void>()

  becomeReady(): void {
    this.#ready.resolve()
  }

  onChange(listener: (nouns: ReadonlySet<Noun>) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  change(records: Partial<RecordSet>): void {
    this.records = { ...this.records, ...records }
    this.sequence += 1
    for (const listener of this.#listeners) listener(new Set<Noun>(['network']))
  }
}

const oneNetwork: Partial<RecordSet> = {
  network: new Map([[NETWORK, aNetwork()]]),
  subnet: new Map([['s4', aSubnet('s4', '10.0.0.0/24')]]),
  port: new Map([['dhcp', aDhcpPort('dhcp', 's4=10.0.0.2')]]),
}

function set(host = new FakeHost(), log: Log = silentLog) {
  const inventory = new ChangingInventory()
  let passes = 0
  const counted = Object.assign(host, {
    observe: () => {
      passes += 1
      return FakeHost.prototype.observe.call(host)
    },
  })
  const planner = new Planner()
  const config = { ...DATAPATH_DEFAULTS, statePath: '/s' }
  const reconciler = new Reconciler({
    source: inventory,
    host: counted,
    log,
    desired: (records, now) => planner.desired(records, config, now),
    resume: (observed) => resumedListeners(observed, config),
    periodMilliseconds: 3_600_000,
  })
  return { inventory, host, reconciler, passes: () => passes }
}

test('before the inventory is read nothing is taken for an orphan', async (t) => {
  const { inventory, host, reconciler } = set()
  t.after(() => reconciler.stop())
  await host.execute([{ kind: 'netns-add', netns: 'qdhcp-orphan' }])
  const started = reconciler.start()
  await new Promise(setImmediate)
  assert.equal(host.namespaces.size, 1)
  inventory.becomeReady()
  await started
  assert.equal(host.namespaces.size, 0)
})

test('whoever looks before the source is ready changes nothing, and a teardown takes all away', async (t) => {
  const { inventory, host, reconciler, passes } = set()
  t.after(() => reconciler.stop())
  await host.execute([{ kind: 'netns-add', netns: 'qdhcp-orphan' }])
  const looks = await Promise.all([reconciler.look(), reconciler.lookAnew(), reconciler.look()])
  assert.deepEqual(new Set(looks.map(({ done, failed }) => done.length + failed.length)), new Set([0]))
  assert.deepEqual([host.namespaces.size, passes(), reconciler.isReady, reconciler.state], [1, 0, false, undefined])
  const started = reconciler.start()
  await reconciler.teardown()
  assert.equal(host.namespaces.size, 0)
  inventory.change(oneNetwork)
  inventory.becomeReady()
  await started
  assert.equal(host.print(), '')
})

test('of trouble the log hears the beginning, another cause and the end, and no repetition', async (t) => {
  const lines: string[] = []
  const note = (fields: { readonly err?: string }, message: string) => {
    if (message.startsWith('datapath ')) lines.push(`${message} ${fields.err ?? ''}`.trim())
  }
  const { inventory, host, reconciler } = set(new FakeHost(), { ...silentLog, info: note, warn: note } as Log)
  t.after(() => reconciler.stop())
  inventory.becomeReady()
  await reconciler.start()
  inventory.change(oneNetwork)
  await reconciler.look()
  const netns = `qdhcp-${NETWORK}`
  host.namespaces.clear()
  for (const bridge of host.bridges.values()) bridge.ports = []
  for (const why of ['No space; next attempt in 3 s', 'No space; next attempt in 1 s', 'Not permitted', undefined]) {
    if (why === undefined) host.broken.delete(netns)
    else host.broken.set(netns, why)
    for (let i = 0; i < 3; i++) await reconciler.look()
  }
  assert.deepEqual(lines, [
    'datapath command failed netns-add: No space; next attempt in 3 s',
    'datapath command failed netns-add: Not permitted',
    'datapath trouble is over',
  ])
})

test('a change of the inventory is acted on, however many events tell of it, in two passes at most', async (t) => {
  const { inventory, host, reconciler, passes } = set()
  t.after(() => reconciler.stop())
  inventory.becomeReady()
  await reconciler.start()
  const before = passes()
  for (let i = 0; i < 100; i++) inventory.change(oneNetwork)
  await reconciler.look()
  assert.deepEqual([...host.namespaces.keys()], [`qdhcp-${NETWORK}`])
  assert.ok(passes() - before <= 2, `${passes() - before} passes`)
})

test('one pass runs at a time, and `look` waits for one that began after it was asked', async (t) => {
  const { inventory, host, reconciler, passes } = set()
  t.after(() => reconciler.stop())
  inventory.becomeReady()
  await reconciler.start()
  const before = passes()
  const running = reconciler.look()
  inventory.change(oneNetwork)
  const asked = reconciler.look()
  assert.equal(passes() - before, 1)
  await Promise.all([running, asked])
  assert.equal(passes() - before, 2)
  assert.equal(host.namespaces.size, 1)
})

test('drift that the host announces is repaired without waiting for the period', async (t) => {
  const { inventory, host, reconciler } = set()
  t.after(() => reconciler.stop())
  inventory.records = { ...inventory.records, ...oneNetwork }
  inventory.becomeReady()
  await reconciler.start()
  const whole = host.print()
  host.namespaces.clear()
  for (const bridge of host.bridges.values()) bridge.ports = []
  host.announce('namespace was deleted')
  await reconciler.look()
  assert.equal(host.print(), whole)
})

test('stop leaves everything, teardown removes everything and later events bring nothing back', async () => {
  const { inventory, host, reconciler } = set()
  inventory.records = { ...inventory.records, ...oneNetwork }
  inventory.becomeReady()
  await reconciler.start()
  await reconciler.stop()
  assert.notEqual(host.print(), '')
  await reconciler.teardown()
  inventory.change(oneNetwork)
  await reconciler.look()
  assert.equal(host.print(), '')
})

test('a host that cannot be looked at ends no loop: the next event is a next try', async (t) => {
  const { inventory, host, reconciler } = set()
  t.after(() => reconciler.stop())
  inventory.becomeReady()
  await reconciler.start()
  const observe = host.observe
  host.observe = () => Promise.reject(new Error('Too many open files'))
  await assert.rejects(reconciler.look(), /Too many open files/)
  host.observe = observe
  inventory.change(oneNetwork)
  await reconciler.look()
  assert.equal(host.namespaces.size, 1)
})
