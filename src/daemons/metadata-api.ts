import { lookup } from 'node:dns/promises'
import type { Values } from '../config/option.ts'
import type { apiOptions } from '../config/options/api.ts'
import { openTcpListener } from '../host/sockets.ts'
import { serveDescriptor } from '../http/server.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { IpAddress } from '../inventory/records/address.ts'
import type { InstanceId } from '../inventory/records/ids.ts'
import type { InventoryStore } from '../inventory/store.ts'
import { type Condition, inventoryIsRead } from '../observe/health.ts'
import type { Log } from '../observe/log.ts'
import { type Flight, openFlight } from './flight.ts'
import { hopServerOptions } from './guest-server.ts'
import { type DocumentValues, openMetadataService } from './metadata-service.ts'
import type { OpenSockets } from './run-service.ts'
import type { StateDirectory } from './state-directory.ts'

export type MetadataApiValues = DocumentValues & Values<typeof apiOptions>

export interface MetadataApiSettings {
  readonly values: MetadataApiValues
  readonly secret: string
}

export interface RunningMetadataApi {
  readonly flight: Flight
  readonly ready: readonly Condition[]
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
  state: Pick<StateDirectory, 'flight'>,
  sockets: readonly number[],
  store: InventoryStore,
  { values, secret }: MetadataApiSettings,
  log: Log,
): RunningMetadataApi {
  const inventory = openInventory(store, log, { flatInjected: values.flat_injected })
  let service = openMetadataService(inventory, store, secret, values, log)
  const flight = openFlight(state, 'metadata-api', log, (id) => inventory.instance(id as InstanceId)?.name)
  const limits = { headBytes: HEAD_BYTES, connections: CONNECTIONS }
  const options = { ...hopServerOptions(log), limits, onAnswered: flight.onAnswered }
  const servings = sockets.map((fd) => serveDescriptor((request) => service.handler(request), fd, options, BACKLOG))
  return {
    flight,
    ready: [inventoryIsRead(inventory.ready)],
    reload: (next) => {
      service = openMetadataService(inventory, store, next.secret, next.values, log)
    },
    close: async (grace) => {
      await Promise.all(servings.map((serving) => serving.close(grace)))
      inventory.close()
      await store.close()
      await flight.close()
    },
  }
}

/** The API's TCP socket. */
export async function openApiSocket(values: MetadataApiValues): Promise<OpenSockets> {
  const { address } = await lookup(values.metadata_listen)
  const fd = openTcpListener({ address: address as IpAddress, port: values.metadata_listen_port, backlog: BACKLOG })
  return { sockets: [fd], remove: () => undefined }
}
