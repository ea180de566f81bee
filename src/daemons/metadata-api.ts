import { type Serving, serve } from '../http/server.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { InventoryStore } from '../inventory/store.ts'
import type { Log } from '../observe/log.ts'
import { hopServerOptions } from './guest-server.ts'
import { type DocumentValues, openMetadataService } from './metadata-service.ts'

export interface MetadataApiValues extends DocumentValues {
  readonly metadata_listen: string
  readonly metadata_listen_port: number
  readonly service_metadata_proxy: boolean
}

/** eventlet takes heads of 64 KiB; the metadata API answers 414 to a request line over 8 KiB itself. */
const HEAD_BYTES = 64 * 1024

/** nova-api-metadata: the documents over HTTP, for callers an agent has signed for. */
export async function openMetadataApi(
  store: InventoryStore,
  secret: string,
  values: MetadataApiValues,
  log: Log,
): Promise<Serving> {
  const inventory = openInventory(store, log)
  const service = openMetadataService(inventory, store, secret, values, log)
  const where = { host: values.metadata_listen, port: values.metadata_listen_port }
  const serving = await serve(service.handler, where, { ...hopServerOptions(log), limits: { headBytes: HEAD_BYTES } })
  return {
    port: serving.port,
    close: async (grace) => {
      await serving.close(grace)
      inventory.close()
      await store.close()
    },
  }
}
