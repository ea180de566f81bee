import type { DriveValues } from '../../../daemons/drives.ts'
import type { StateDirectory } from '../../../daemons/state-directory.ts'
import type { Facts, RecordFacts } from '../../../explain/facts.ts'
import { patience } from '../../../host/slowdown.ts'
import { whyNotWritable } from '../../../inventory/sql/writable.ts'
import type { Inventory, InventoryStore } from '../../../inventory/store.ts'
import { documentFacts } from '../documents.ts'
import type { Wanted } from '../find-port.ts'

/** The inventory that answers, and whom it calls what somebody asked for. */
export interface OvnInventory {
  readonly inventory: Inventory
  readonly store: InventoryStore
  readonly wanted: Wanted
}

type Told = Pick<Facts, 'database' | 'documents' | 'vendorData' | 'requests' | 'lease' | 'drive'>

const LOCK_MILLISECONDS = 500

/** What the guest would read, as far as it is ours to say. */
export async function documentsTold(
  state: StateDirectory,
  of: OvnInventory | undefined,
  records: Omit<RecordFacts, 'found'>,
  values: DriveValues,
): Promise<Told> {
  if (of === undefined) {
    const others = 'the guest is known from the Southbound, not from an inventory'
    const unknown = { lease: { unknown: others }, requests: { unknown: others } }
    const absent = { absent: others }
    return { ...unknown, database: absent, documents: absent, vendorData: absent, drive: absent }
  }
  const { inventory, store } = of
  const [problem, documents] = await Promise.all([
    whyNotWritable(state.database, patience(LOCK_MILLISECONDS)),
    documentFacts({ state, inventory, store, records, values }),
  ])
  return { ...documents, database: { value: { path: state.database, problem } } }
}
