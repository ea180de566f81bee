import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Following, followKeeper } from '../host/socket-keeper/follow.ts'
import { openHttpClient } from '../http/client.ts'
import type { Forwarder } from '../http/messages.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { InstanceId } from '../inventory/records/ids.ts'
import type { InventoryStore } from '../inventory/store.ts'
import { agentOverSocket } from '../metadata-proxy/agent-socket.ts'
import { nativeProxies } from '../metadata-proxy/native.ts'
import { type Condition, inventoryIsRead } from '../observe/health.ts'
import type { Log } from '../observe/log.ts'
import { serveAgentSocket } from './agent-socket.ts'
import type { Flight } from './flight.ts'
import { guestServerOptions, hopServerOptions } from './guest-server.ts'
import { type LocalAnswers, localAnswers } from './local-answers.ts'
import type { StateDirectory } from './state-directory.ts'

/** What proxies hand their requests to. */
export interface Answers {
  readonly handler: Forwarder
  /** The server's name by its id, where it is known here. */
  readonly serverOf: (instance: string) => string | undefined
  /** What has to hold before guests are answered as they should. */
  readonly ready: readonly Condition[]
  close(): Promise<void>
}

/** The metadata agent behind its unix socket. */
export function answersOfAgent(socket: string): Answers {
  const client = openHttpClient([{ socketPath: socket }])
  return { handler: agentOverSocket(client), serverOf: () => undefined, ready: [], close: () => client.close() }
}

/** Agent and metadata API in this process, over the inventory. The agent listens on its socket too, in the place of the
 *  process that answered before. @throws HostError when somebody else listens there */
export async function answersOfInventory(
  { pages }: Pick<StateDirectory, 'pages'>,
  agentSocket: string,
  store: InventoryStore,
  values: LocalAnswers['values'],
  log: Log,
): Promise<Answers> {
  const inventory = openInventory(store, log, { flatInjected: values.flat_injected })
  const handler = localAnswers({ inventory, store, values, log })
  const isPredecessor = (pid: number) => existsSync(join(pages, `metadata-proxy.${pid}`))
  const hop = await serveAgentSocket({ path: agentSocket, isPredecessor, log }, handler, hopServerOptions(log))
  return {
    handler,
    serverOf: (id) => inventory.instance(id as InstanceId)?.name,
    ready: [inventoryIsRead(inventory.ready), hop],
    close: async () => {
      await hop.close()
      inventory.close()
      await store.close()
    },
  }
}

/** neutron-ns-metadata-proxy for all namespaces of a socket keeper at once. Needs no privileges. */
export async function openMetadataProxy(
  socketKeeper: string,
  { handler }: Answers,
  { onAnswered }: Pick<Flight, 'onAnswered'>,
  log: Log,
): Promise<Following> {
  return followKeeper(socketKeeper, nativeProxies(handler, { ...guestServerOptions(log), onAnswered }))
}
