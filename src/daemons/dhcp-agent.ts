import type { NamespaceSockets } from '../host/listeners.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { InventoryStore } from '../inventory/store.ts'
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

/** neutron-dhcp-agent and neutron-l3-agent: a namespace with dnsmasq and the metadata address for every network, one for
 *  every router, and the proxy in each. What a guest asks goes to the metadata agent's unix socket. */
export async function openDhcpAgent(
  state: StateDirectory,
  sockets: NamespaceSockets,
  agentSocket: string,
  store: InventoryStore,
  values: DatapathValues & { readonly metrics_listen: string },
  log: Log,
): Promise<RunningDatapath> {
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
  await datapath.reconciler.start()
  const release = async () => {
    await pages.close()
    await management.close()
    inventory.close()
    await store.close()
  }
  return {
    reconciler: datapath.reconciler,
    get values() {
      return datapath.values
    },
    configure: (next) => datapath.configure(next),
    close: () => datapath.close().then(release),
    teardown: () => datapath.teardown().then(release),
  }
}
