import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Guest, GuestState } from '../src/host/guest.ts'
import { namespaceGuests } from '../src/hypervisor/guest.ts'
import { type Hypervisor, keepGuests } from '../src/hypervisor/keeper.ts'
import type { InstanceId } from '../src/inventory/records/ids.ts'
import { emptyRecordSet, type Noun, type RecordSet } from '../src/inventory/records/records.ts'
import type { Server } from '../src/inventory/records/server.ts'
import { silentLog } from '../src/observe/log.ts'
import { server, serverId } from './contract/sample-records.ts'
import { eventually } from './support/eventually.ts'

const PERIOD = 5
const ID = serverId(1)
const OTHER = serverId(2)
const WANTED = server(1, { hypervisor: 'namespace', portIds: [] })

/** Instances in memory. */
class FakeHypervisor implements Hypervisor {
  readonly states = new Map<InstanceId, GuestState>()
  readonly did: string[] = []
  looks = 0
  fails: Error | undefined
  /** What becomes of a guest that is started. */
  outcome: GuestState['condition'] = 'running'

  async known() {
    this.looks += 1
    if (this.fails) throw this.fails
    return new Map(this.states)
  }
  async start(guest: Guest) {
    this.did.push(`start ${guest.id}`)
    this.states.set(guest.id, { guest, condition: this.outcome })
  }
  async attach(guest: Guest) {
    this.did.push(`attach ${guest.id}`)
    this.states.set(guest.id, { guest, condition: 'running' })
  }
  async stop(id: InstanceId) {
    this.did.push(`stop ${id}`)
    this.states.delete(id)
  }
  async forget(id: InstanceId) {
    this.did.push(`forget ${id}`)
  }
  turn(id: InstanceId, condition: GuestState['condition']) {
    this.states.set(id, { guest: this.states.get(id)?.guest, condition })
  }
}

function inventoryOf(records: Omit<RecordSet, 'server'> & { readonly server: Map<string, Server> }) {
  const listeners = new Set<(nouns: ReadonlySet<Noun>) => void>()
  return {
    records,
    onChange(listener: (nouns: ReadonlySet<Noun>) => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

function open(period = PERIOD) {
  const inventory = inventoryOf({ ...emptyRecordSet(), server: new Map([[ID, WANTED]]) })
  const hypervisor = new FakeHypervisor()
  return { inventory, hypervisor, keeper: keepGuests(inventory, namespaceGuests, hypervisor, silentLog, period) }
}
describe('the keeper of guests', () => {
  const mended: { name: string; condition: GuestState['condition']; want: string }[] = [
    { name: 'starts one that has ended', condition: 'down', want: `start ${ID}` },
    { name: 'plugs one in again whose tap has lost its bridge', condition: 'unplugged', want: `attach ${ID}` },
  ]
  for (const { name, condition, want } of mended)
    it(`${name}, without being told`, async () => {
      const { hypervisor, keeper } = open()
      await keeper.look()
      assert.deepEqual(hypervisor.did, [`start ${ID}`])
      hypervisor.turn(ID, condition)
      await eventually(want, () => hypervisor.did.length > 1)
      assert.equal(hypervisor.did[1], want)
      keeper.close()
    })

  it('goes on after a look that failed', async () => {
    const { hypervisor, keeper } = open(3_600_000)
    hypervisor.fails = Object.assign(new Error('too many open files'), { code: 'EMFILE' })
    await keeper.look()
    assert.deepEqual(hypervisor.did, [])
    hypervisor.fails = undefined
    await keeper.look()
    assert.deepEqual(hypervisor.did, [`start ${ID}`])
    keeper.close()
  })

  it('gives one that ends at once time between its starts', async () => {
    const { hypervisor, keeper } = open(3_600_000)
    hypervisor.outcome = 'down'
    for (let look = 0; look < 20; look += 1) await keeper.look()
    assert.deepEqual(hypervisor.did, [`start ${ID}`, `start ${ID}`])
    keeper.close()
  })

  it('forgets an instance when its server is gone, and only stops one that somebody else runs now', async () => {
    const { inventory, hypervisor, keeper } = open(3_600_000)
    inventory.records.server.set(OTHER, server(2, { hypervisor: 'external', portIds: [] }))
    hypervisor.states.set(OTHER, { guest: undefined, condition: 'running' })
    await keeper.look()
    inventory.records.server.delete(ID)
    await keeper.look()
    assert.deepEqual(hypervisor.did, [`stop ${OTHER}`, `start ${ID}`, `stop ${ID}`, `forget ${ID}`])
    keeper.close()
  })

  it('ends everything that is left of anybody, and looks no more', async () => {
    const { hypervisor, keeper } = open()
    await keeper.look()
    hypervisor.states.set(OTHER, { guest: undefined, condition: 'down' })
    await keeper.stopAll()
    assert.deepEqual([...hypervisor.states.keys()], [])
    const looks = hypervisor.looks
    await pause(PERIOD * 4)
    assert.equal(hypervisor.looks, looks)
  })
})
