import { held } from '../../http/errors.ts'
import { openInventory } from '../../inventory/catalog.ts'
import { openSqliteStore } from '../../inventory/sql/sqlite.ts'
import type { Log } from '../../observe/log.ts'
import { deferredStore } from '../deferred-store.ts'
import { localUpstream } from '../local-answers.ts'
import type { DocumentValues } from '../metadata-service.ts'
import type { StateDirectory } from '../state-directory.ts'
import type { OvnUpstream } from './upstream.ts'

/** The inventory of this state directory, which need not be readable yet.
 *  @throws Error when the values cannot be used */
export function openInventoryUpstream(state: StateDirectory, values: DocumentValues, log: Log): OvnUpstream {
  const store = deferredStore(openSqliteStore(state.database, Number.POSITIVE_INFINITY))
  const inventory = openInventory(store, log, { flatInjected: values.flat_injected })
  const upstream = localUpstream({ inventory, store, values, log })
  return {
    upstream: async (caller, request) => {
      await held(inventory.ready)
      return upstream(caller, request)
    },
    serverOf: (instance) => inventory.instance(instance)?.name,
    close: async () => {
      inventory.close()
      await store.close()
    },
  }
}
