import { setTimeout as pause } from 'node:timers/promises'
import type { Handler, HttpReply, HttpRequest } from '../http/messages.ts'
import type { Inventory, InventoryStore } from '../inventory/store.ts'
import { type MetadataUpstream, metadataAgent } from '../metadata-agent/handler.ts'
import { inventoryDirectory } from '../metadata-agent/inventory-directory.ts'
import type { PortDirectory } from '../metadata-agent/port-directory.ts'
import type { Resolved } from '../metadata-agent/resolve.ts'
import type { Log } from '../observe/log.ts'
import type { DatapathValues } from './datapath-config.ts'
import { type DocumentValues, openMetadataService } from './metadata-service.ts'

/** What a guest asked and got. */
export interface GuestRequest {
  /** The instance's name now. */
  readonly name: string
  readonly caller: Resolved
  readonly request: HttpRequest
  readonly reply: HttpReply
  readonly milliseconds: number
}

export interface LocalAnswers {
  readonly inventory: Inventory
  readonly store: InventoryStore
  readonly values: DocumentValues & Pick<DatapathValues, 'dhcp_lease_duration'>
  readonly log: Log
  readonly onRequest?: (request: GuestRequest) => void
}

/** Agent and metadata API as functions: what a proxy hands its requests to where no second hop exists. */
export function localAnswers(given: LocalAnswers): Handler {
  const { inventory, values } = given
  const directory = inventoryDirectory(inventory, () => values.dhcp_lease_duration)
  return metadataAgent(askingTwice(directory), localUpstream(given))
}

/** Longer than it takes until a commit of another process is seen here at the latest. */
const PATIENCE_MILLISECONDS = 1_200

/** Another process plugs guests in as soon as it knows them, and this one may hear of them later: a miss is looked up again
 *  before it becomes a 404, which guests take for ever. */
function askingTwice(directory: PortDirectory): PortDirectory {
  return {
    ...directory,
    find: async (...asked) => {
      const found = await directory.find(...asked)
      if (found.length > 0) return found
      await pause(PATIENCE_MILLISECONDS)
      return directory.find(...asked)
    },
  }
}

/** The metadata API as a function of this process. */
export function localUpstream({
  inventory,
  store,
  values,
  log,
  onRequest = () => undefined,
}: Omit<LocalAnswers, 'values'> & { readonly values: DocumentValues }): MetadataUpstream {
  // No secret is needed where no hop is.
  const api = openMetadataService(inventory, store, '', values, log)
  return async (caller, request) => {
    const started = performance.now()
    const reply = await api.answer({ ...caller, requesterAddress: caller.address }, request)
    const name = inventory.instance(caller.instanceId)?.name ?? caller.instanceId
    onRequest({ name, caller, request, reply, milliseconds: performance.now() - started })
    return reply
  }
}
