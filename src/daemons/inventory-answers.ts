import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openInventory } from '../inventory/catalog.ts'
import type { InstanceId } from '../inventory/records/ids.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { inventoryIsRead } from '../observe/health.ts'
import type { Log } from '../observe/log.ts'
import { serveAgentSocket } from './agent-socket.ts'
import { deferredStore } from './deferred-store.ts'
import { hopServerOptions } from './guest-server.ts'
import { type LocalAnswers, localAnswers } from './local-answers.ts'
import type { Answers } from './metadata-proxy.ts'
import type { StateDirectory } from './state-directory.ts'

/** Agent and metadata API in this process, over the inventory. The agent listens on its socket too, in the place of the
 *  process that answered before. @throws HostError when somebody else listens there */
export async function answersOfInventory(
  state: Pick<StateDirectory, 'pages' | 'database' | 'socketKeeper'>,
  agentSocket: string,
  values: LocalAnswers['values'],
  log: Log,
): Promise<Answers> {
  const store = deferredStore(openSqliteStore(state.database, Number.POSITIVE_INFINITY))
  const inventory = openInventory(store, log, { flatInjected: values.flat_injected })
  const handler = localAnswers({ state, inventory, store, values, log })
  const isPredecessor = (pid: number) => existsSync(join(state.pages, `metadata-proxy.${pid}`))
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
