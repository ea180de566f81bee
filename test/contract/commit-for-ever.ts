/** A process for sqlite.test.ts to kill: commits one project after the other to the inventory in argv[2] and prints each
 *  commit's number once it has been answered. */
import type { ProjectId } from '../../src/inventory/records/ids.ts'
import { openSqliteStore } from '../../src/inventory/sql/sqlite.ts'

const store = await openSqliteStore(process.argv[2] ?? '')
for (let { sequence } = await store.load(); ; ) {
  const id = sequence.toString(16).padStart(32, '0') as ProjectId
  const record = { id, name: `project ${sequence}`, metadataTokens: 'off' } as const
  sequence = await store.commit([{ op: 'put', noun: 'project', record }], sequence)
  process.stdout.write(`${sequence}\n`)
}
