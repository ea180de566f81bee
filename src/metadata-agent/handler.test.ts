import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type HeaderField, Headers, type HttpRequest } from '../http/messages.ts'
import type { NetworkId, PortId, ProjectId } from '../inventory/records/ids.ts'
import { metadataAgent } from './handler.ts'
import type { FoundPort, Freshness } from './port-directory.ts'

const NETWORK = 'ac52ac2a-6e45-46bd-a838-1a6fcd4b8568'

/** An agent whose directory holds an answer from before its address went to another port; what was asked of the API. */
async function ask(method: string, gone: string, ...fields: readonly HeaderField[]) {
  const port = (deviceId: string): FoundPort => ({
    id: deviceId as PortId,
    networkId: NETWORK as NetworkId,
    projectId: 'p' as ProjectId,
    deviceId,
    deviceOwner: 'compute:nova',
  })
  const find = async (_within: unknown, _client: unknown, freshness: Freshness = 'kept') => [
    port(freshness === 'kept' ? 'before' : 'now'),
  ]
  const asked: string[] = []
  const agent = metadataAgent({ find }, async ({ instanceId }) => {
    asked.push(instanceId)
    return { status: instanceId === gone ? 404 : 200, headers: [], body: new Uint8Array() }
  })
  const request: HttpRequest = {
    method,
    target: '/latest',
    headers: new Headers([['x-neutron-network-id', NETWORK], ['x-forwarded-for', '10.0.0.11'], ...fields]),
    remoteAddress: '',
    id: 'req',
    body: async () => new Uint8Array(),
  }
  return { status: (await agent(request)).status, asked }
}

describe('when the metadata API has nothing', () => {
  it('the agent looks again who asks, and asks for who that is now', async () =>
    assert.deepEqual(await ask('GET', 'before'), { status: 200, asked: ['before', 'now'] }))

  it('it does not when there is an answer', async () =>
    assert.deepEqual(await ask('GET', 'nobody'), { status: 200, asked: ['before'] }))

  it('it sends nothing twice that has a body', async () => {
    assert.deepEqual(await ask('POST', 'before'), { status: 404, asked: ['before'] })
    assert.deepEqual(await ask('GET', 'before', ['content-length', '3']), { status: 404, asked: ['before'] })
  })
})
