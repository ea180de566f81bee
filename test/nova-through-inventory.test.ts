import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openInventory } from '../src/inventory/catalog.ts'
import { applyInventory } from '../src/inventory/file/apply.ts'
import { randomGenerators } from '../src/inventory/file/generators.ts'
import { readInventory } from '../src/inventory/file/load.ts'
import { openMemoryStore } from '../src/inventory/memory-store.ts'
import type { InstanceId } from '../src/inventory/records/ids.ts'
import type { Instance } from '../src/inventory/records/instance.ts'
import { tapName } from '../src/inventory/records/port.ts'
import type { Inventory, InventoryStore } from '../src/inventory/store.ts'
import { metadataApi } from '../src/metadata-api/metadata-api.ts'
import { inventoryFileOf } from './nova-inventory-file.ts'
import { type Recording, readWalks, recordedEc2Ids, recordedInputs, recordedInstances } from './nova-recordings.ts'
import { recordedDeps, replayPasswordSequences, replayWalk } from './nova-replay.ts'
import { FakeInventory, serviceDeps } from './nova-service.ts'

/** A service over an inventory that was made from the recorded inputs by an inventory file. */
async function startFromFile() {
  const store = openMemoryStore()
  const file = readInventory('inputs.json', inventoryFileOf(recordedInputs, recordedEc2Ids), () => assert.fail())
  const applied = await applyInventory(store, file, randomGenerators, { host: 'host', prune: false, isDry: false })
  assert.deepEqual('problems' in applied ? applied.problems : [], [])
  const inventory = openInventory(store)
  await inventory.ready
  const deps = serviceDeps(new FakeInventory(), {
    ...recordedDeps,
    inventory,
    setPassword: (id, password) => storePassword(store, inventory, id, password),
  })
  return { inventory, service: metadataApi(deps) }
}

async function storePassword(store: InventoryStore, inventory: Inventory, id: InstanceId, password: string) {
  const server = inventory.records.server.get(id) ?? assert.fail(`no server ${id}`)
  const seen = new Promise<void>((resolve) => {
    const end = inventory.onChange(() => {
      end()
      resolve()
    })
  })
  await store.commit([{ op: 'put', noun: 'server', record: { ...server, password } }], inventory.sequence)
  await seen
}

/** The one thing an inventory file cannot say: that the device of a port has no name, which network_data.json then makes
 *  up. Here every device is named after its port, as Nova does when it binds one. */
const NAMELESS = { name: 'b-multinic', recorded: '"interface1"', ours: '"tap2c3967b4-c0"' } as const

function named(instance: Instance): Instance {
  const interfaces = instance.interfaces.map((vif) => ({
    ...vif,
    deviceName: vif.deviceName ?? tapName({ id: vif.portId }),
  }))
  return { ...instance, interfaces }
}

function withNames(recording: Recording): Recording {
  const responses = recording.responses.map(({ body = '', len, ...rest }) => {
    const text = body.replaceAll(NAMELESS.recorded, NAMELESS.ours)
    return { ...rest, body: text, len: len + text.length - body.length }
  })
  return { ...recording, responses }
}

test('an inventory file can say what Nova was told of its instances', async () => {
  const { inventory } = await startFromFile()
  for (const [name, wanted] of recordedInstances) assert.deepEqual(inventory.instance(wanted.id), named(wanted), name)
})

for (const { name, recording } of readWalks()) {
  test(`through the inventory every path of ${name} answers as Nova did`, async () => {
    const { service } = await startFromFile()
    await replayWalk(service, name, name === NAMELESS.name ? withNames(recording) : recording)
  })
}

test('through the inventory the password sequences answer as Nova did, but for the named deviations', async () => {
  const { service } = await startFromFile()
  await replayPasswordSequences(service.handler)
})
