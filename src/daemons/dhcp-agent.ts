import { openHttpClient } from '../http/client.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { InventoryStore } from '../inventory/store.ts'
import { agentOverSocket } from '../metadata-proxy/agent-socket.ts'
import { nativeProxies } from '../metadata-proxy/native.ts'
import type { Log } from '../observe/log.ts'
import { openDatapath, type RunningDatapath } from './datapath.ts'
import type { DatapathValues } from './datapath-config.ts'
import { datapathRoutes } from './datapath-routes.ts'
import { guestServerOptions } from './guest-server.ts'
import { openManagement } from './management.ts'
import type { StateDirectory } from './state-directory.ts'

/** neutron-dhcp-agent and neutron-l3-agent: a namespace with dnsmasq and the metadata address for every network, one for
 *  every router, and the proxy in each. What a guest asks goes to the metadata agent's unix socket. */
export async function openDhcpAgent(
  state: StateDirectory,
  socket: string,
  store: InventoryStore,
  values: DatapathValues,
  log: Log,
): Promise<RunningDatapath> {
  const inventory = openInventory(store, log)
  const client = openHttpClient({ socketPath: socket })
  const openProxy = nativeProxies(agentOverSocket(client), guestServerOptions(log))
  const datapath = openDatapath({ state, inventory, values, openProxy, agentSocket: socket, log })
  const management = await openManagement(state, datapathRoutes(datapath, inventory), log)
  await datapath.reconciler.start()
  const release = async () => {
    await management.close()
    await client.close()
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
