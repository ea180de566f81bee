import { fileURLToPath } from 'node:url'
import { Listeners, type NamespaceSockets } from '../host/listeners.ts'
import { NamespaceGuests } from '../host/namespace-guests.ts'
import type { Handler } from '../http/messages.ts'
import { namespaceGuests } from '../hypervisor/guest.ts'
import { type Keeper, keepGuests } from '../hypervisor/keeper.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { InstanceId } from '../inventory/records/ids.ts'
import type { Inventory, InventoryStore } from '../inventory/store.ts'
import { nativeProxies } from '../metadata-proxy/native.ts'
import { inventoryIsRead, reconciles } from '../observe/health.ts'
import type { Log } from '../observe/log.ts'
import { agentSocketIsThere, serveAgentSocket } from './agent-socket.ts'
import { lastPass, openDatapath, type RunningDatapath } from './datapath.ts'
import type { DatapathValues } from './datapath-config.ts'
import { datapathRoutes } from './datapath-routes.ts'
import { type Flight, openFlight } from './flight.ts'
import { guestServerOptions, hopServerOptions } from './guest-server.ts'
import { type GuestRequest, localAnswers } from './local-answers.ts'
import { keepMachines, type MachineValues } from './machines.ts'
import { openManagement } from './management.ts'
import type { DocumentValues } from './metadata-service.ts'
import { openOperatorPages } from './operator-pages.ts'
import type { StateDirectory } from './state-directory.ts'

/** Everything: networks, guests, and answers by agent and metadata API as functions, no second hop. */
export interface AllInOne {
  readonly inventory: Inventory
  readonly datapath: RunningDatapath
  readonly guests: NamespaceGuests
  readonly keeper: Keeper
  /** Resolves when every network that can be served is, and every instance of ours is started. */
  readonly started: Promise<Inventory>
  /** Leaves the machine as it was before: guests, namespaces and bridges go, also before all is started. Records and leases
   *  stay. */
  teardown(): Promise<void>
}

export interface AllInOneOptions {
  readonly values: DocumentValues & DatapathValues
  /** Of virtual machines; without them no server of the kinds `qemu` and `libvirt` is started. */
  readonly machines?: MachineValues
  readonly log: Log
  /** Where somebody else serves them; otherwise this process does. */
  readonly sockets?: NamespaceSockets
  /** `127.0.0.1:9464`, for the pages of all processes; empty for none. */
  readonly metricsListen?: string
  /** Told of options that are in force from now on: for who answers elsewhere. */
  readonly onValues?: (values: DatapathValues) => Promise<unknown>
  /** Told of each request that this process answers. */
  readonly onRequest?: (request: GuestRequest) => void
}

/** Resolves when the operator can ask how far it is, and end it. */
export async function openAllInOne(
  state: StateDirectory,
  store: InventoryStore,
  { values, machines, log, sockets, metricsListen = '', onValues, onRequest }: AllInOneOptions,
): Promise<AllInOne> {
  const inventory = openInventory(store, log, { flatInjected: values.flat_injected })
  const flight = openFlight(state, 'up', log, (id) => inventory.instance(id as InstanceId)?.name)
  const answering =
    sockets === undefined
      ? await answerHere(
          state,
          localAnswers({ state, inventory, store, values, log, ...(onRequest && { onRequest }) }),
          flight,
          log,
        )
      : { sockets, close: () => Promise.resolve() }
  const datapath = openDatapath({
    state,
    inventory,
    values,
    sockets: answering.sockets,
    agentSocket: state.agentSocket,
    metrics: flight.metrics,
    onValues,
    log,
  })
  const guests = new NamespaceGuests(
    state.instances,
    fileURLToPath(new URL('../hypervisor/namespace', import.meta.url)),
  )
  const keeper = keepGuests(inventory, namespaceGuests, guests, log)
  const keepers = [keeper, ...(machines === undefined ? [] : keepMachines(state, inventory, store, machines, log))]
  const management = await openManagement(state, datapathRoutes(datapath, inventory), log)
  const pages = await openOperatorPages({
    state,
    daemon: 'up',
    metrics: flight.metrics,
    ready: [
      inventoryIsRead(inventory.ready),
      reconciles(() => lastPass(datapath)),
      agentSocketIsThere(state.agentSocket),
    ],
    listen: metricsListen,
    log,
  })
  let isEnding = false
  const start = async () => {
    await datapath.reconciler.start()
    if (!isEnding) await Promise.all(keepers.map((each) => each.look()))
    return inventory
  }
  const started = start()
  started.catch(() => undefined) // who waits for it hears of it
  return {
    inventory,
    datapath,
    guests,
    keeper,
    started,
    teardown: async () => {
      isEnding = true
      await pages.close()
      await management.close()
      await Promise.all([datapath.reconciler.stop(), ...keepers.map((each) => each.stopAll())])
      await datapath.teardown()
      await answering.close()
      inventory.close()
      await store.close()
      await flight.close()
    },
  }
}

/** Where no other process does: the sockets in the namespaces and the agent's are served by this one. */
async function answerHere(
  { agentSocket }: StateDirectory,
  agent: Handler,
  { onAnswered }: Flight,
  log: Log,
): Promise<{ readonly sockets: NamespaceSockets; close(): Promise<void> }> {
  const hop = await serveAgentSocket({ path: agentSocket, log }, agent, { ...hopServerOptions(log), onAnswered })
  return {
    sockets: new Listeners(nativeProxies(agent, { ...guestServerOptions(log), onAnswered })),
    close: () => hop.close(),
  }
}
