import type { NamespaceSockets } from '../host/listeners.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { InventoryStore } from '../inventory/store.ts'
import type { Log } from '../observe/log.ts'
import { type DhcpValues, openDatapath, type RunningDatapath } from './datapath.ts'
import type { StateDirectory } from './state-directory.ts'

/** neutron-dhcp-agent: a namespace with dnsmasq and the metadata address for every network, and the proxy in each. What a
 *  guest asks goes to the metadata agent's unix socket. */
export async function openDhcpAgent(
  state: StateDirectory,
  sockets: NamespaceSockets,
  store: InventoryStore,
  values: DhcpValues,
  log: Log,
): Promise<RunningDatapath> {
  const inventory = openInventory(store, log)
  const datapath = openDatapath(state, inventory, values, sockets, log)
  await datapath.reconciler.start()
  const release = async () => {
    inventory.close()
    await store.close()
  }
  return {
    reconciler: datapath.reconciler,
    close: () => datapath.close().then(release),
    teardown: () => datapath.teardown().then(release),
  }
}
