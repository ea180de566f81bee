import { held } from '../../http/errors.ts'
import type { Answer } from '../../http/messages.ts'
import { openInventory } from '../../inventory/catalog.ts'
import type { InstanceId } from '../../inventory/records/ids.ts'
import { openSqliteStore } from '../../inventory/sql/sqlite.ts'
import type { MetadataUpstream } from '../../metadata-agent/handler.ts'
import { probeSecret } from '../../metadata-agent/probe.ts'
import type { Log } from '../../observe/log.ts'
import { deferredStore } from '../deferred-store.ts'
import { localUpstream } from '../local-answers.ts'
import { type NovaValues, novaUpstream } from '../metadata-agent.ts'
import type { DocumentValues } from '../metadata-service.ts'
import type { StateDirectory } from '../state-directory.ts'

export type OvnUpstreamValues = DocumentValues & NovaValues & { readonly answer_from: 'nova' | 'inventory' }

export interface OvnUpstream {
  readonly upstream: MetadataUpstream<Answer>
  /** The server's name by its id, where it is known here. */
  readonly serverOf: (instance: InstanceId) => string | undefined
  close(): Promise<void>
}

/** Who knows what an instance may read: the metadata API elsewhere, or the inventory of this state directory.
 *  @throws Error when the values cannot be used */
export function openOvnUpstream(
  state: StateDirectory,
  secret: string,
  values: OvnUpstreamValues,
  log: Log,
): OvnUpstream {
  if (values.answer_from === 'nova') {
    const { upstream, signed, close } = novaUpstream(secret, values, log)
    void probeSecret(signed, log)
    return { upstream, serverOf: () => undefined, close }
  }
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
