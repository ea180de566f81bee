import { openHttpClient } from '../http/client.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { InventoryStore } from '../inventory/store.ts'
import { agentOverSocket } from '../metadata-proxy/agent-socket.ts'
import { nativeProxies } from '../metadata-proxy/native.ts'
import type { Log } from '../observe/log.ts'
import { type DhcpValues, openDatapath, type RunningDatapath } from './datapath.ts'
import { guestServerOptions } from './guest-server.ts'
import type { StateDirectory } from './state-directory.ts'

/** neutron-dhcp-agent: a namespace with dnsmasq and the metadata address for every network, and the proxy in each. What a
 *  guest asks goes to the metadata agent's unix socket. */
export async function openDhcpAgent(
  state: StateDirectory,
  socket: string,
  store: InventoryStore,
  values: DhcpValues,
  log: Log,
): Promise<RunningDatapath> {
  const inventory = openInventory(store, log)
  const client = openHttpClient([{ socketPath: socket }])
  const proxies = nativeProxies(agentOverSocket(client), guestServerOptions(log))
  const datapath = openDatapath(state, inventory, values, proxies, log)
  await datapath.reconciler.start()
  const release = async () => {
    await client.close()
    inventory.close()
    await store.close()
  }
  return {
    reconciler: datapath.reconciler,
    close: () => datapath.close().then(release),
    teardown: () => datapath.teardown().then(release),
  }
}
