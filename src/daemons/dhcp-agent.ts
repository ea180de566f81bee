import type { NamespaceSockets } from '../host/listeners.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { Inventory, InventoryStore } from '../inventory/store.ts'
import { inventoryIsRead, reconciles } from '../observe/health.ts'
import type { Log } from '../observe/log.ts'
import { openMetrics } from '../observe/metrics/metrics.ts'
import { lastPass, openDatapath, type RunningDatapath } from './datapath.ts'
import type { DatapathValues } from './datapath-config.ts'
import { datapathRoutes } from './datapath-routes.ts'
import { openManagement } from './management.ts'
import { openOperatorPages } from './operator-pages.ts'
import type { StateDirectory } from './state-directory.ts'
import { version } from './version.ts'

export interface DhcpAgent extends RunningDatapath {
  /** Resolves when every network and router that can be served is. */
  readonly started: Promise<Inventory>
}

/** neutron-dhcp-agent and neutron-l3-agent: a namespace with dnsmasq and the metadata address for every network, one for
 *  every router, and the proxy in each. What a guest asks goes to the metadata agent's unix socket. Resolves when the
 *  operator can ask how far it is, and end it. */
export async function openDhcpAgent(
  state: StateDirectory,
  sockets: NamespaceSockets,
  agentSocket: string,
  store: InventoryStore,
  values: DatapathValues & { readonly metrics_listen: string },
  log: Log,
): Promise<DhcpAgent> {
  const inventory = openInventory(store, log)
  const metrics = openMetrics({ version: version(), recorderDropped: () => 0, now: () => new Date() })
  const datapath = openDatapath({ state, inventory, values, sockets, agentSocket, metrics, log })
  const management = await openManagement(state, datapathRoutes(datapath, inventory), log)
  const pages = await openOperatorPages({
    state,
    daemon: 'dhcp-agent',
    metrics,
    ready: [inventoryIsRead(inventory.ready), reconciles(() => lastPass(datapath))],
    listen: values.metrics_listen,
    log,
  })
  const start = async () => {
    await datapath.reconciler.start()
    return inventory
  }
  const started = start()
  started.catch(() => undefined) // who waits for it hears of it
  const release = async () => {
    await pages.close()
    await management.close()
    inventory.close()
    await store.close()
  }
  return {
    started,
    reconciler: datapath.reconciler,
    get values() {
      return datapath.values
    },
    configure: (next) => datapath.configure(next),
    close: () => datapath.close().then(release),
    teardown: () => datapath.teardown().then(release),
  }
}
