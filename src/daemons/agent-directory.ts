import { directoryOptions } from '../config/options/port-directory.ts'
import { openInventory } from '../inventory/catalog.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { inventoryDirectory } from '../metadata-agent/inventory-directory.ts'
import type { PortDirectory } from '../metadata-agent/port-directory.ts'
import type { Log } from '../observe/log.ts'
import { deferredStore } from './deferred-store.ts'
import { neighbourTables } from './neighbours.ts'
import { type DirectoryValues, isNeutronAsked, openNeutronDirectory } from './port-directory.ts'
import type { StateDirectory } from './state-directory.ts'

/** Where the agent looks ports up. It can be asked at once; it answers as soon as it knows. */
export interface AgentDirectory {
  readonly directory: PortDirectory
  /** Rejects when it will never know. */
  readonly opened: Promise<unknown>
  close(): Promise<void>
}

/** Of neutron's API, and for how long a router that was detached is answered for. */
export type AgentDirectoryValues = DirectoryValues & { readonly dhcp_lease_duration: number }

/** One that can be put in another's place while it is asked. */
export interface ChangeableDirectory extends AgentDirectory {
  /** Asks elsewhere from now on when these options say so; what is kept is then forgotten.
   *  @throws when they cannot be used; then nothing has changed */
  reload(values: AgentDirectoryValues): void
}

/** @param state  with the inventory, for where ports are looked up there */
export function openAgentDirectory(
  values: AgentDirectoryValues,
  state: Pick<StateDirectory, 'database' | 'socketKeeper'>,
  log: Log,
): ChangeableDirectory {
  const open = (now: AgentDirectoryValues) =>
    isNeutronAsked(now) ? openNeutron(now, log) : openInventoryDirectory(now, state.database, log)
  let current = open(values)
  let said = textOf(values)
  return {
    directory: {
      find: (...asked) => current.directory.find(...asked),
      ...neighbourTables(state, log),
      findByAddressPair: async (...asked) => (await current.directory.findByAddressPair?.(...asked)) ?? [],
    },
    opened: current.opened,
    reload: (next) => {
      if (textOf(next) === said) return
      const before = current
      current = open(next)
      said = textOf(next)
      void before.close()
    },
    close: () => current.close(),
  }
}

/** What these options come to, to tell whether they have changed. */
function textOf(values: DirectoryValues): string {
  return JSON.stringify(Object.keys(directoryOptions).map((name) => values[name as keyof DirectoryValues]))
}

function openNeutron(values: DirectoryValues, log: Log): AgentDirectory {
  const directory = openNeutronDirectory(values, log)
  return { directory, opened: Promise.resolve(), close: async () => directory.close?.() }
}

function openInventoryDirectory(values: AgentDirectoryValues, database: string, log: Log): AgentDirectory {
  const opened = openSqliteStore(database, Number.POSITIVE_INFINITY)
  const store = deferredStore(opened)
  const inventory = openInventory(store, log)
  return {
    directory: inventoryDirectory(inventory, () => values.dhcp_lease_duration),
    opened,
    close: async () => {
      inventory.close()
      await store.close()
    },
  }
}
