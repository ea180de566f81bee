import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type HeaderField, Headers, type HttpRequest } from '../http/messages.ts'
import type { NetworkId, PortId, ProjectId } from '../inventory/records/ids.ts'
import { TooManyRequests } from './errors.ts'
import { metadataAgent } from './handler.ts'
import type { FoundPort, Freshness } from './port-directory.ts'
import { rateLimit } from './rate-limit.ts'

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
  const from: HeaderField[] = [
    ['x-neutron-network-id', NETWORK],
    ['x-forwarded-for', '10.0.0.11'],
  ]
  return { status: (await agent(requestOf(method, ...from, ...fields))).status, asked }
}

function requestOf(method: string, ...fields: readonly HeaderField[]): HttpRequest {
  return {
    method,
    target: '/latest',
    headers: new Headers(fields),
    remoteAddress: '',
    id: 'req',
    body: async () => new Uint8Array(),
  }
}

it('a port’s addresses share its limit, and over it nobody looks it up but now and then', async () => {
  let looked = 0
  const port = { id: 'a', networkId: NETWORK, projectId: 'p', deviceId: 'i', deviceOwner: 'compute:nova' } as FoundPort
  const find = async () => {
    looked += 1
    return [port]
  }
  const windows = [{ requests: 60, seconds: 86_400 }]
  const agent = metadataAgent(
    { find },
    async () => ({ status: 200, headers: [], body: new Uint8Array() }),
    rateLimit({ windows, ipVersions: [4, 6], now: () => 0 }),
  )
  const from = (address: string) =>
    agent(requestOf('GET', ['x-neutron-network-id', NETWORK], ['x-forwarded-for', address]))
  for (let i = 0; i < 30; i += 1) for (const address of ['10.0.0.11', '2001:db8::11']) await from(address)
  assert.equal(looked, 60)
  for (let i = 0; i < 10; i += 1)
    for (const address of ['10.0.0.11', '2001:db8::11']) await assert.rejects(from(address), TooManyRequests)
  assert.equal(looked, 62, 'each once more: it may be another’s by now')
  await assert.rejects(from('fe80::f816:3eff:fe00:1'), TooManyRequests, 'whose it is has to be found out once')
})

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
