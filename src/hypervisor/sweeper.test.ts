import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { put, server, serverId, surroundings } from '../../test/contract/sample-records.ts'
import { eventually } from '../../test/support/eventually.ts'
import { machineFiles } from '../host/machine-files.ts'
import { openInventory } from '../inventory/catalog.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { silentLog } from '../observe/log.ts'
import { sweepMachines } from './sweeper.ts'

const [KNOWN, REMOVED, RUNNING, STRANGE, FOREIGN] = [1, 2, 3, 4, 5].map(serverId) as [Id, Id, Id, Id, Id]
type Id = ReturnType<typeof serverId>

const scratch = mkdtempSync(join(tmpdir(), 'firstboot-machines-'))
after(() => rmSync(scratch, { recursive: true }))

/** An inventory that four servers were added to and three removed from, and folders of these and of a stranger. */
async function open(name: string) {
  const machines = join(scratch, name)
  for (const id of [KNOWN, REMOVED, RUNNING, STRANGE, FOREIGN]) {
    mkdirSync(join(machines, id), { recursive: true })
    writeFileSync(join(machines, id, 'disk'), 'the disk')
  }
  mkdirSync(join(machines, 'images'))
  writeFileSync(machineFiles(machines, RUNNING).record, '{"by":"qemu","machine":{"interfaces":[]},"process":null}')
  writeFileSync(machineFiles(machines, STRANGE).record, '{"by":"a hypervisor of a later version"}')
  const store = await openSqliteStore(join(scratch, `${name}.sqlite`))
  await store.commit([...surroundings, ...[1, 2, 3, 4].map((n) => put('server', server(n, { portIds: [] })))], 0)
  const remove = (sequence: number, ...ids: readonly string[]) =>
    store.commit(
      ids.map((id) => ({ op: 'delete', noun: 'server', id }) as const),
      sequence,
    )
  await remove(1, REMOVED, RUNNING, STRANGE)
  const inventory = openInventory(store)
  const sweeper = sweepMachines(inventory, store, machines, silentLog)
  return {
    remove,
    left: () => readdirSync(machines).toSorted(),
    sweeper,
    close: async () => {
      sweeper.close()
      inventory.close()
      await store.close()
    },
  }
}

test('what is left of a removed server goes; all else stays, also what this inventory has never heard of', async () => {
  const { sweeper, left, close } = await open('start')
  await sweeper.look()
  await eventually('the folder is gone', () => !left().includes(REMOVED))
  assert.deepEqual(left(), [KNOWN, RUNNING, STRANGE, FOREIGN, 'images'].toSorted())
  await close()
})

test('a server that is removed while we run leaves nothing either', async () => {
  const { remove, left, close } = await open('change')
  await remove(2, KNOWN)
  await eventually('both folders are gone', () => !left().includes(KNOWN) && !left().includes(REMOVED))
  assert.deepEqual(left(), [RUNNING, STRANGE, FOREIGN, 'images'].toSorted())
  await close()
})
