import { randomBytes } from 'node:crypto'
import type { Values } from '../config/option.ts'
import type { documentOptions } from '../config/options/documents.ts'
import { RANDOM_SEED_BYTES } from '../documents/context.ts'
import type { InstanceId } from '../inventory/records/ids.ts'
import { type Inventory, InventoryConflict, type InventoryStore } from '../inventory/store.ts'
import { PasswordConflict } from '../metadata-api/errors.ts'
import { type MetadataApi, metadataApi } from '../metadata-api/metadata-api.ts'
import { sessionTokens } from '../metadata-api/session-token.ts'
import type { DynamicVendorData } from '../metadata-api/vendor-data/dynamic-vendor-data.ts'
import type { Log } from '../observe/log.ts'
import { openVendorData } from './vendor-data.ts'

/** The options of the documents, under nova's names. */
export type DocumentValues = Values<typeof documentOptions>

/** Whether callers are to be named by an agent's signed headers; otherwise the connection's address names them. */
interface CallerValues {
  readonly service_metadata_proxy?: boolean
}

/** The metadata API, and what its operator may see. */
export type MetadataService = MetadataApi & Pick<DynamicVendorData, 'vendorDataResults'>

/** The metadata API over the inventory, with the system's clock and generator. */
export function openMetadataService(
  inventory: Inventory,
  store: InventoryStore,
  secret: string,
  values: DocumentValues & CallerValues,
  log: Log,
): MetadataService {
  const vendorData = openVendorData(values, log)
  const api = metadataApi({
    inventory,
    sharedSecret: secret,
    options: {
      release: values.release,
      dhcpDomain: values.dhcp_domain,
      serviceMetadataProxy: values.service_metadata_proxy ?? true,
      vendordataProviders: values.vendordata_providers,
    },
    staticVendorData: vendorData.static,
    dynamicVendorData: vendorData.dynamic.ask,
    setPassword: (id, text) => setPassword(inventory, store, id, text),
    sessionTokens: sessionTokens(secret, Date.now),
    today: () => new Date().toISOString().slice(0, 10),
    randomSeed: seeds(),
    log,
  })
  return { ...api, vendorDataResults: vendorData.dynamic.vendorDataResults }
}

/** Asking the system's generator costs several times what its bytes do. */
const SEEDS_AT_ONCE = 32

/** Each is given out once. */
function seeds(): () => Uint8Array {
  let bytes = new Uint8Array()
  let given = 0
  return () => {
    if (given === bytes.length) {
      bytes = randomBytes(SEEDS_AT_ONCE * RANDOM_SEED_BYTES)
      given = 0
    }
    given += RANDOM_SEED_BYTES
    return bytes.subarray(given - RANDOM_SEED_BYTES, given)
  }
}

/** Kept in the server's record. Whoever else wrote something else meanwhile does not matter: the record is read again and
 *  the write repeated. Resolves when this process's inventory shows it.
 *  @throws PasswordConflict when another process has taken one meanwhile */
async function setPassword(inventory: Inventory, store: InventoryStore, id: InstanceId, text: string): Promise<void> {
  const { sequence } = inventory
  const server = inventory.records.server.get(id)
  if (server === undefined) throw new Error(`Instance ${id} could not be found.`)
  if (server.password !== '') throw new PasswordConflict()
  try {
    await store.commit([{ op: 'put', noun: 'server', record: { ...server, password: text } }], sequence)
    await past(inventory, sequence)
  } catch (error) {
    if (!(error instanceof InventoryConflict)) throw error
    await past(inventory, sequence)
    await setPassword(inventory, store, id, text)
  }
}

/** Resolves when the inventory in memory is younger than `sequence`. */
function past(inventory: Inventory, sequence: number): Promise<void> {
  if (inventory.sequence > sequence) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = inventory.onChange(() => {
    if (inventory.sequence <= sequence) return
    end()
    resolve()
  })
  return promise
}
