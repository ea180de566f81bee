import type { Values } from '../../config/option.ts'
import type { agentOptions } from '../../config/options/agent.ts'
import { held } from '../../http/errors.ts'
import type { Answer } from '../../http/messages.ts'
import { openInventory } from '../../inventory/catalog.ts'
import { openSqliteStore } from '../../inventory/sql/sqlite.ts'
import type { MetadataUpstream } from '../../metadata-agent/handler.ts'
import type { Log } from '../../observe/log.ts'
import { deferredStore } from '../deferred-store.ts'
import { localUpstream } from '../local-answers.ts'
import { novaUpstream } from '../metadata-agent.ts'
import type { DocumentValues } from '../metadata-service.ts'
import type { StateDirectory } from '../state-directory.ts'

export type OvnUpstreamValues = DocumentValues &
  Values<typeof agentOptions> & { readonly answer_from: 'nova' | 'inventory' }

/** Who knows what an instance may read: the metadata API elsewhere, or the inventory of this state directory. */
export function openOvnUpstream(
  state: StateDirectory,
  secret: string,
  values: OvnUpstreamValues,
  log: Log,
): { readonly upstream: MetadataUpstream<Answer>; close(): Promise<void> } {
  if (values.answer_from === 'nova') return novaUpstream(secret, values, log)
  const store = deferredStore(openSqliteStore(state.database, Number.POSITIVE_INFINITY))
  const inventory = openInventory(store, log)
  const upstream = localUpstream({ inventory, store, values, log })
  return {
    upstream: async (caller, request) => {
      await held(inventory.ready)
      return upstream(caller, request)
    },
    close: async () => {
      inventory.close()
      await store.close()
    },
  }
}
