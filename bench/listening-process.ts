import { documentOptions } from '../src/config/options/documents.ts'
import { readOptions } from '../src/config/read.ts'
import { guestServerOptions } from '../src/daemons/guest-server.ts'
import { openMetadataService } from '../src/daemons/metadata-service.ts'
import { Listeners } from '../src/host/listeners.ts'
import { openInventory } from '../src/inventory/catalog.ts'
import { openMemoryStore } from '../src/inventory/memory-store.ts'
import { metadataAgent } from '../src/metadata-agent/handler.ts'
import { inventoryDirectory } from '../src/metadata-agent/inventory-directory.ts'
import { nativeProxies } from '../src/metadata-proxy/native.ts'
import { silentLog } from '../src/observe/log.ts'
import { benchNetworks, listenersOf, recordsOf } from './many-networks.ts'

// The process whose memory is measured: what `firstboot up` has on the way of a request, and nothing else. It does one
// step for each message of its parent and says when it has done it.

export type Step =
  /** Puts so many networks, each with a guest, into the inventory. */
  | { readonly load: number }
  /** Opens the sockets of the first so many networks, as far as they are not open yet. */
  | { readonly listen: number }

/** Sent back. */
export interface Done {
  readonly milliseconds: number
}

const { values: DOCUMENTS } = readOptions(documentOptions, [], {})

const store = openMemoryStore()
const inventory = openInventory(store, silentLog)
const api = openMetadataService(inventory, store, '', DOCUMENTS, silentLog)
const agent = metadataAgent(inventoryDirectory(inventory), (caller, request) =>
  api.answer({ ...caller, requesterAddress: caller.address }, request),
)
const listeners = new Listeners(nativeProxies(agent, guestServerOptions(silentLog)))

process.on('message', async (step: Step) => {
  const started = performance.now()
  if ('load' in step) await store.commit(recordsOf(benchNetworks(step.load)), inventory.sequence)
  else listen(step.listen)
  const milliseconds = performance.now() - started
  await new Promise(setImmediate)
  globalThis.gc?.() // garbage is not memory per network
  process.send?.({ milliseconds } satisfies Done)
})

function listen(count: number): void {
  const open = listeners.namespaces.length
  for (const network of benchNetworks(count).slice(open)) {
    for (const listener of listenersOf(network)) listeners.open(network.netns, listener, [])
  }
}
