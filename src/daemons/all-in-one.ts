import { fileURLToPath } from 'node:url'
import { NamespaceGuests } from '../host/namespace-guests.ts'
import type { HttpReply, HttpRequest } from '../http/messages.ts'
import { namespaceGuests } from '../hypervisor/guest.ts'
import { type Keeper, keepGuests } from '../hypervisor/keeper.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { Inventory, InventoryStore } from '../inventory/store.ts'
import { type MetadataUpstream, metadataAgent } from '../metadata-agent/handler.ts'
import { inventoryDirectory } from '../metadata-agent/inventory-directory.ts'
import type { Resolved } from '../metadata-agent/resolve.ts'
import { nativeProxies } from '../metadata-proxy/native.ts'
import type { Log } from '../observe/log.ts'
import { type DhcpValues, openDatapath, type RunningDatapath } from './datapath.ts'
import { guestServerOptions } from './guest-server.ts'
import { keepMachines, type MachineValues } from './machines.ts'
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
  readonly values: DocumentValues & DhcpValues
  /** Of virtual machines; without them no server of the kinds `qemu` and `libvirt` is started. */
  readonly machines?: MachineValues
  readonly log: Log
  readonly onRequest?: (request: GuestRequest) => void
}

/** Resolves when every network that can be served is, and every instance of ours is started. */
export async function openAllInOne(
  state: StateDirectory,
  store: InventoryStore,
  { values, machines, log, onRequest = () => undefined }: AllInOneOptions,
): Promise<AllInOne> {
  const inventory = openInventory(store, log, { flatInjected: machines?.flat_injected ?? false })
  // No secret is needed where no hop is.
  const api = openMetadataService(inventory, store, '', values, log)
  const upstream: MetadataUpstream = async (caller, request) => {
    const started = performance.now()
    const reply = await api.answer({ ...caller, requesterAddress: caller.address }, request)
    const name = inventory.instance(caller.instanceId)?.name ?? caller.instanceId
    onRequest({ name, caller, request, reply, milliseconds: performance.now() - started })
    return reply
  }
  const agent = metadataAgent(inventoryDirectory(inventory), upstream)
  const datapath = openDatapath(state, inventory, values, nativeProxies(agent, guestServerOptions(log)), log)
  const guests = new NamespaceGuests(
    state.instances,
    fileURLToPath(new URL('../hypervisor/namespace', import.meta.url)),
  )
  const keeper = keepGuests(inventory, namespaceGuests, guests, log)
  const keepers = [keeper, ...(machines === undefined ? [] : keepMachines(state, inventory, machines, log))]
  await datapath.reconciler.start()
  await Promise.all(keepers.map((each) => each.look()))
  return {
    inventory,
    datapath,
    guests,
    keeper,
    teardown: async () => {
      await Promise.all(keepers.map((each) => each.stopAll()))
      await datapath.teardown()
      inventory.close()
      await store.close()
    },
  }
}
