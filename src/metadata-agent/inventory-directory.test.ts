import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { NETWORK, port, portId, serverWithPort, surroundings } from '../../test/contract/sample-records.ts'
import { openInventory } from '../inventory/catalog.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { inventoryDirectory } from './inventory-directory.ts'

test('a guest that another process has just written down is found', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'firstboot-directory-'))
  const path = join(folder, 'inventory.sqlite')
  const writer = await openSqliteStore(path)
  const reader = await openSqliteStore(path)
  const inventory = openInventory(reader)
  const { find } = inventoryDirectory(inventory)
  try {
    await writer.commit(surroundings, 0)
    for (const number of [11, 12, 13, 14, 15]) {
      await writer.commit(serverWithPort(number), number - 10)
      const fixedIp = port(number).fixedIps[0]?.ipAddress ?? assert.fail()
      const found = await find({ networkId: NETWORK }, { fixedIp })
      assert.deepEqual(
        found.map(({ id }) => id),
        [portId(number)],
      )
    }
  } finally {
    inventory.close()
    await Promise.all([writer.close(), reader.close()])
    await rm(folder, { recursive: true })
  }
})
