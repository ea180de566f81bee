import { lookup } from 'node:dns/promises'
import type { Values } from '../config/option.ts'
import type { apiOptions } from '../config/options.ts'
import { openTcpListener } from '../host/sockets.ts'
import { serveDescriptor } from '../http/server.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { IpAddress } from '../inventory/records/address.ts'
import type { InventoryStore } from '../inventory/store.ts'
import type { Log } from '../observe/log.ts'
import { hopServerOptions } from './guest-server.ts'
import { type DocumentValues, openMetadataService } from './metadata-service.ts'
import type { OpenSockets } from './run-service.ts'

export type MetadataApiValues = DocumentValues & Values<typeof apiOptions>

export interface MetadataApiSettings {
  readonly values: MetadataApiValues
  readonly secret: string
}

export interface RunningMetadataApi {
  /** @throws when the settings cannot be used; then nothing has changed */
  reload(settings: MetadataApiSettings): void
  close(grace?: number): Promise<void>
}

/** eventlet takes heads of 64 KiB; the metadata API answers 414 to a request line over 8 KiB itself. */
const HEAD_BYTES = 64 * 1024
/** Agents of many hosts, each with a pool of connections. */
const CONNECTIONS = 8192
/** Connections that may wait to be accepted. */
const BACKLOG = 4096

/** nova-api-metadata: the documents over HTTP, for callers an agent has signed for. */
export function openMetadataApi(
  sockets: readonly number[],
  store: InventoryStore,
  { values, secret }: MetadataApiSettings,
  log: Log,
): RunningMetadataApi {
  const inventory = openInventory(store, log)
  let service = openMetadataService(inventory, store, secret, values, log)
  const options = { ...hopServerOptions(log), limits: { headBytes: HEAD_BYTES, connections: CONNECTIONS } }
  const servings = sockets.map((fd) => serveDescriptor((request) => service.handler(request), fd, options, BACKLOG))
  return {
    reload: (next) => {
      service = openMetadataService(inventory, store, next.secret, next.values, log)
    },
    close: async (grace) => {
      await Promise.all(servings.map((serving) => serving.close(grace)))
      inventory.close()
      await store.close()
    },
  }
}

/** The API's TCP socket. */
export async function openApiSocket(values: MetadataApiValues): Promise<OpenSockets> {
  const { address } = await lookup(values.metadata_listen)
  const fd = openTcpListener({ address: address as IpAddress, port: values.metadata_listen_port, backlog: BACKLOG })
  return { sockets: [fd], remove: () => undefined }
}
