import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { MetadataService } from '@aws-sdk/ec2-metadata-service'
import type { HttpClient } from '../src/http/client.ts'
import { errorPage } from '../src/http/error-page.ts'
import { type Serving, serve } from '../src/http/server.ts'
import { openInventory } from '../src/inventory/catalog.ts'
import { applyInventory } from '../src/inventory/file/apply.ts'
import { randomGenerators } from '../src/inventory/file/generators.ts'
import { readInventory } from '../src/inventory/file/load.ts'
import { openMemoryStore } from '../src/inventory/memory-store.ts'
import type { NetworkId } from '../src/inventory/records/ids.ts'
import { metadataAgent } from '../src/metadata-agent/handler.ts'
import { inventoryDirectory } from '../src/metadata-agent/inventory-directory.ts'
import { signedUpstream } from '../src/metadata-agent/signed-upstream.ts'
import { metadataApi } from '../src/metadata-api/metadata-api.ts'
import { sessionTokens } from '../src/metadata-api/session-token.ts'
import { metadataProxy } from '../src/metadata-proxy/handler.ts'
import { FakeInventory, serviceDeps } from './nova-service.ts'

/** The guest's address is the only one a test can have. */
const INVENTORY = `
projects: [{name: p, metadata_tokens: required}]
networks: [{name: n, subnets: [{cidr: 127.0.0.0/24, gateway_ip: null, enable_dhcp: false}]}]
servers: [{name: web-1, networks: [{network: n, fixed_ip: 127.0.0.1}]}]
`

/** Proxy, agent and two metadata APIs that share the secret, the guest's requests going to one and the other in turn. */
describe('session tokens along the whole way', () => {
  let serving: Serving
  let endpoint: string

  before(async () => {
    const store = openMemoryStore()
    const file = readInventory('i.yaml', INVENTORY, () => assert.fail())
    const applied = await applyInventory(store, file, randomGenerators, { host: 'host', prune: false, isDry: false })
    assert.deepEqual('problems' in applied ? applied.problems : [], [])
    const inventory = openInventory(store)
    await inventory.ready
    const openApi = () =>
      metadataApi({ ...serviceDeps(new FakeInventory()), inventory, sessionTokens: sessionTokens('s3cr3t', Date.now) })
    const apis = [openApi(), openApi()]
    let turn = 0
    const client: HttpClient = {
      send: ({ method, target, headers, body }) => {
        turn += 1
        const sent = body instanceof Uint8Array ? body : new Uint8Array()
        const request = { method, target, headers, remoteAddress: '127.0.0.9', id: 'r', body: async () => sent }
        return apis[turn % 2]?.handler(request) ?? assert.fail()
      },
      close: async () => undefined,
    }
    const [networkId] = inventory.records.network.keys()
    const agent = metadataAgent(inventoryDirectory(inventory), signedUpstream(client, 's3cr3t'))
    const proxy = metadataProxy({ networkId: networkId as NetworkId }, agent)
    serving = await serve(proxy, { host: '127.0.0.1', port: 0 }, { onError: errorPage })
    endpoint = `http://127.0.0.1:${serving.port}`
  })
  after(() => serving.close(0))

  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(endpoint + path, { method, headers })
  const lifetime = { 'X-aws-ec2-metadata-token-ttl-seconds': '21600' }

  it('a guest fetches one and reads both trees with it', async () => {
    const put = await ask('/latest/api/token', lifetime, 'PUT')
    assert.equal(put.headers.get('x-aws-ec2-metadata-token-ttl-seconds'), '21600')
    const shown = { 'X-aws-ec2-metadata-token': await put.text() }
    for (const path of ['/latest/meta-data/hostname', '/openstack/latest/meta_data.json']) {
      assert.equal((await ask(path, shown)).status, 200)
      assert.equal((await ask(path)).status, 401)
    }
  })

  it('a proxy in the guest gets none', async () => {
    const forwarded = { ...lifetime, 'X-Forwarded-For': '203.0.113.7' }
    assert.equal((await ask('/latest/api/token', forwarded, 'PUT')).status, 403)
  })

  it('the SDK of AWS knows what to do', async () => {
    const service = new MetadataService({
      endpoint,
      disableFetchToken: false,
      retries: 0,
      httpOptions: { timeout: 1_000 },
    })
    assert.equal(await service.request('/latest/meta-data/local-ipv4', {}), '127.0.0.1')
    assert.match(await service.fetchMetadataToken(), /^[\w-]{54}$/)
  })
})
