import { chmod } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { NamespaceGuests } from '../host/namespace-guests.ts'
import type { HttpReply, HttpRequest } from '../http/messages.ts'
import { serve } from '../http/server.ts'
import { type Keeper, keepGuests } from '../hypervisor/keeper.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { Inventory, InventoryStore } from '../inventory/store.ts'
import { type MetadataUpstream, metadataAgent } from '../metadata-agent/handler.ts'
import { inventoryDirectory } from '../metadata-agent/inventory-directory.ts'
import type { Resolved } from '../metadata-agent/resolve.ts'
import { nativeProxies } from '../metadata-proxy/native.ts'
import type { Log } from '../observe/log.ts'
import { clearSocket } from './clear-socket.ts'
import { openDatapath, type RunningDatapath } from './datapath.ts'
import type { DatapathValues } from './datapath-config.ts'
import { datapathRoutes } from './datapath-routes.ts'
import { guestServerOptions, hopServerOptions } from './guest-server.ts'
import { openManagement } from './management.ts'
import { type DocumentValues, openMetadataService } from './metadata-service.ts'
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

/** Everything in one process: sockets in the namespaces, agent and metadata API as functions, no second hop. */
export interface AllInOne {
  readonly inventory: Inventory
  readonly datapath: RunningDatapath
  readonly guests: NamespaceGuests
  readonly keeper: Keeper
  /** Leaves the machine as it was before: guests, namespaces and bridges go. Records and leases stay. */
  teardown(): Promise<void>
}

export interface AllInOneOptions {
  readonly values: DocumentValues & DatapathValues
  readonly log: Log
  readonly onRequest?: (request: GuestRequest) => void
}

/** Resolves when every network that can be served is, and every instance of ours is started. */
export async function openAllInOne(
  state: StateDirectory,
  store: InventoryStore,
  { values, log, onRequest = () => undefined }: AllInOneOptions,
): Promise<AllInOne> {
  const inventory = openInventory(store, log)
  // No secret is needed where no hop is.
  const api = openMetadataService(inventory, store, '', values, log)
  const upstream: MetadataUpstream = async (caller, request) => {
    const started = performance.now()
    const reply = await api.answer({ ...caller, requesterAddress: caller.address }, request)
    const name = inventory.instance(caller.instanceId)?.name ?? caller.instanceId
    onRequest({ name, caller, request, reply, milliseconds: performance.now() - started })
    return reply
  }
  const agent = metadataAgent(
    inventoryDirectory(inventory, () => datapath.values.dhcp_lease_duration),
    upstream,
  )
  const openProxy = nativeProxies(agent, guestServerOptions(log))
  const { agentSocket } = state
  // For proxies that are programs of their own, which an option may call for at any time.
  await clearSocket(agentSocket)
  const hop = await serve(agent, { path: agentSocket }, hopServerOptions(log))
  await chmod(agentSocket, 0o600)
  const datapath = openDatapath({ state, inventory, values, openProxy, agentSocket, log })
  const guests = new NamespaceGuests(
    state.instances,
    fileURLToPath(new URL('../hypervisor/namespace', import.meta.url)),
  )
  const keeper = keepGuests(inventory, guests, log)
  const management = await openManagement(state, datapathRoutes(datapath, inventory), log)
  await datapath.reconciler.start()
  await keeper.look()
  return {
    inventory,
    datapath,
    guests,
    keeper,
    teardown: async () => {
      await management.close()
      await keeper.stopAll()
      await datapath.teardown()
      await hop.close()
      inventory.close()
      await store.close()
    },
  }
}
