import { parseArgs } from 'node:util'
import { documentOptions } from '../src/config/options/documents.ts'
import { readOptions } from '../src/config/read.ts'
import { openFlight } from '../src/daemons/flight.ts'
import { guestServerOptions } from '../src/daemons/guest-server.ts'
import { openMetadataService } from '../src/daemons/metadata-service.ts'
import { openHttpClient } from '../src/http/client.ts'
import type { Forwarder } from '../src/http/messages.ts'
import { serve } from '../src/http/server.ts'
import { openInventory } from '../src/inventory/catalog.ts'
import type { NetworkId } from '../src/inventory/records/ids.ts'
import { openSqliteStore } from '../src/inventory/sql/sqlite.ts'
import { metadataAgent } from '../src/metadata-agent/handler.ts'
import { inventoryDirectory } from '../src/metadata-agent/inventory-directory.ts'
import { agentOverSocket } from '../src/metadata-proxy/agent-socket.ts'
import { metadataProxy } from '../src/metadata-proxy/handler.ts'
import { silentLog } from '../src/observe/log.ts'
import { NETWORK } from './chain-inventory.ts'

// A native proxy as in a network's namespace, on an ordinary port: `--socket` for one in front of an agent, `--database`
// for one with agent and API in its own process; `--observed-port` to serve the same on a second port, where `--flight` is the
// directory in which all that is answered there is recorded, and it is counted.

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    socket: { type: 'string' },
    database: { type: 'string' },
    'observed-port': { type: 'string' },
    flight: { type: 'string' },
  },
})

async function everything(database: string): Promise<Forwarder> {
  const store = await openSqliteStore(database, 10_000)
  const inventory = openInventory(store, silentLog)
  await inventory.ready
  const { values: documents } = readOptions(documentOptions, [], {})
  const api = openMetadataService(inventory, store, '', documents, silentLog)
  return metadataAgent(inventoryDirectory(inventory), (caller, request) =>
    api.answer({ ...caller, requesterAddress: caller.address }, request),
  )
}

const next =
  values.socket === undefined
    ? await everything(values.database ?? '')
    : agentOverSocket(openHttpClient([{ socketPath: values.socket }]))
const proxy = metadataProxy({ networkId: NETWORK as NetworkId }, next)
const options = guestServerOptions(silentLog)
if (values['observed-port'] !== undefined) {
  const { onAnswered } = openFlight({ flight: values.flight ?? '' }, 'metadata-proxy', silentLog)
  await serve(proxy, { host: '0.0.0.0', port: Number(values['observed-port']) }, { ...options, onAnswered })
}
await serve(proxy, { host: '0.0.0.0', port: Number(values.port) }, options)
