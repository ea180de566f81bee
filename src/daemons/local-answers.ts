import type { Handler, HttpReply, HttpRequest } from '../http/messages.ts'
import type { Inventory, InventoryStore } from '../inventory/store.ts'
import { type MetadataUpstream, metadataAgent } from '../metadata-agent/handler.ts'
import { inventoryDirectory } from '../metadata-agent/inventory-directory.ts'
import type { Resolved } from '../metadata-agent/resolve.ts'
import type { Log } from '../observe/log.ts'
import type { DatapathValues } from './datapath-config.ts'
import { limitOf, type RateLimitValues } from './limit-of.ts'
import { type DocumentValues, openMetadataService } from './metadata-service.ts'
import { neighbourTables } from './neighbours.ts'
import type { StateDirectory } from './state-directory.ts'

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
  readonly state: Pick<StateDirectory, 'socketKeeper'>
  readonly inventory: Inventory
  readonly store: InventoryStore
  readonly values: DocumentValues & Pick<DatapathValues, 'dhcp_lease_duration'> & RateLimitValues
  readonly log: Log
  readonly onRequest?: (request: GuestRequest) => void
}

/** Agent and metadata API as functions: what a proxy hands its requests to where no second hop exists. */
export function localAnswers(given: LocalAnswers): Handler {
  const { state, inventory, values, log } = given
  const directory = {
    ...inventoryDirectory(inventory, () => values.dhcp_lease_duration),
    ...neighbourTables(state, log),
  }
  return metadataAgent(directory, localUpstream(given), limitOf(values))
}

/** The metadata API as a function of this process. */
export function localUpstream({
  inventory,
  store,
  values,
  log,
  onRequest = () => undefined,
}: Omit<LocalAnswers, 'state' | 'values'> & { readonly values: DocumentValues }): MetadataUpstream {
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
