import { stateDirectory } from '../../config/options/state.ts'
import { UsageError } from '../../config/read.ts'
import { existingStateDirectory, type StateDirectory } from '../../daemons/state-directory.ts'
import { openInventory } from '../../inventory/catalog.ts'
import { openMemoryStore } from '../../inventory/memory-store.ts'
import type { Instance } from '../../inventory/records/instance.ts'
import type { Server } from '../../inventory/records/server.ts'
import { openSqliteStore } from '../../inventory/sql/sqlite.ts'
import type { Inventory, InventoryStore } from '../../inventory/store.ts'
import { applyFile } from '../apply-file.ts'
import { findServer } from '../find-server.ts'

/** The server a drive is about, and where it is known from. */
export interface Subject {
  readonly server: Server
  readonly instance: Instance
  readonly inventory: Inventory
  readonly store: InventoryStore
  /** undefined when it is known from a file only. */
  readonly state: StateDirectory | undefined
}

interface SubjectValues {
  readonly file: string
  readonly state_dir: string
  readonly lab: boolean
  readonly flat_injected: boolean
}

/** Finds the server in the inventory or, with `--file`, in that file alone; of a file with one server it needs no name.
 *  @throws UsageError, FileRefused */
export async function withSubject<T>(
  wanted: string | undefined,
  values: SubjectValues,
  env: NodeJS.ProcessEnv,
  use: (subject: Subject) => Promise<T>,
): Promise<T> {
  const { store, state } = await openStore(values, env)
  const inventory = openInventory(store, undefined, { flatInjected: values.flat_injected })
  try {
    await inventory.ready
    const server =
      wanted === undefined && values.file !== '' ? onlyServer(inventory) : findServer(inventory.records, wanted)
    const instance = inventory.instance(server.id)
    if (instance === undefined) throw new UsageError(`there is no server ${server.id}`)
    return await use({ server, instance, inventory, store, state })
  } finally {
    inventory.close()
    await store.close()
  }
}

async function openStore({ file, ...values }: SubjectValues, env: NodeJS.ProcessEnv) {
  if (file === '') {
    const state = await existingStateDirectory(stateDirectory(values, env))
    return { store: await openSqliteStore(state.database), state }
  }
  const store = openMemoryStore()
  await applyFile(store, file)
  return { store, state: undefined }
}

function onlyServer({ records }: Inventory): Server {
  const [server, second] = records.server.values()
  if (server === undefined) throw new UsageError('the file has no server')
  if (second === undefined) return server
  const names = Array.from(records.server.values(), ({ name }) => name)
  throw new UsageError(`the file has ${names.length} servers; name one: ${names.join(', ')}`)
}
