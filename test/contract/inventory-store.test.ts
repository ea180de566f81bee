import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMemoryStore } from '../../src/inventory/memory-store.ts'
import { openSqliteStore } from '../../src/inventory/sql/sqlite.ts'
import { describeStore } from './inventory-store.ts'

describeStore('memory', async () => {
  const store = openMemoryStore()
  return { first: store, second: store, close: () => store.close() }
})

describeStore('SQLite, two connections', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'firstboot-store-'))
  const first = await openSqliteStore(join(directory, 'inventory.db'))
  const second = await openSqliteStore(join(directory, 'inventory.db'))
  return {
    first,
    second,
    async close() {
      await first.close()
      await second.close()
      await rm(directory, { recursive: true })
    },
  }
})
