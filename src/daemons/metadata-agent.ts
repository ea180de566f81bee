import { chmod } from 'node:fs/promises'
import { clearStaleSocket } from '../host/stale-socket.ts'
import { openHttpClient } from '../http/client.ts'
import { type Serving, serve } from '../http/server.ts'
import { openInventory } from '../inventory/catalog.ts'
import type { InventoryStore } from '../inventory/store.ts'
import { type MetadataUpstream, metadataAgent } from '../metadata-agent/handler.ts'
import { inventoryDirectory } from '../metadata-agent/inventory-directory.ts'
import { signedUpstream } from '../metadata-agent/signed-upstream.ts'
import type { Log } from '../observe/log.ts'
import { hopServerOptions } from './guest-server.ts'

export interface MetadataAgentValues {
  readonly metadata_proxy_socket_mode: keyof typeof SOCKET_MODES
  readonly nova_metadata_host: string
  readonly nova_metadata_port: number
}

export const SOCKET_MODES = { user: 0o600, group: 0o660, all: 0o666 } as const

/** nova-api-metadata over HTTP. */
export function novaUpstream(
  secret: string,
  { nova_metadata_host, nova_metadata_port }: Omit<MetadataAgentValues, 'metadata_proxy_socket_mode'>,
  log: Log,
): { readonly upstream: MetadataUpstream; close(): Promise<void> } {
  const host = nova_metadata_host.includes(':') ? `[${nova_metadata_host}]` : nova_metadata_host
  const client = openHttpClient({ origin: `http://${host}:${nova_metadata_port}` })
  const signed = signedUpstream(client, secret)
  return {
    upstream: async (caller, request) => {
      const reply = await signed(caller, request)
      if (reply.status === 403)
        log.warn({ request: request.id }, 'the metadata API refuses our signature: do the shared secrets differ?')
      return reply
    },
    close: () => client.close(),
  }
}

/** neutron-metadata-agent: finds the instance behind a request and asks the metadata API in its name, signed. */
export async function openMetadataAgent(
  socket: string,
  store: InventoryStore,
  secret: string,
  values: MetadataAgentValues,
  log: Log,
): Promise<Serving> {
  await clearStaleSocket(socket, 'metadata agent')
  const inventory = openInventory(store, log)
  const nova = novaUpstream(secret, values, log)
  const agent = metadataAgent(inventoryDirectory(inventory), nova.upstream)
  const serving = await serve(agent, { path: socket }, hopServerOptions(log))
  await chmod(socket, SOCKET_MODES[values.metadata_proxy_socket_mode])
  return {
    port: undefined,
    close: async (grace) => {
      await serving.close(grace)
      await nova.close()
      inventory.close()
      await store.close()
    },
  }
}
