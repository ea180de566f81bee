import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Stamp } from '../host/namespace.ts'
import { Headers, type HttpRequest } from '../http/messages.ts'
import type { NetworkId, RouterId } from '../inventory/records/ids.ts'
import { metadataProxy } from './handler.ts'

const NETWORK: Stamp = { networkId: 'ac52ac2a-6e45-46bd-a838-1a6fcd4b8568' as NetworkId }

/** What the agent would receive for a guest's request with these header lines. */
async function passedOn(stamp: Stamp, ...fields: [string, string][]): Promise<Headers> {
  const { promise, resolve } = Promise.withResolvers<Headers>()
  const proxy = metadataProxy(stamp, async ({ headers }) => {
    resolve(headers)
    return { status: 200, headers: [], body: new Uint8Array() }
  })
  const request: HttpRequest = {
    method: 'GET',
    target: '/openstack',
    headers: Headers.of(fields),
    remoteAddress: '10.0.0.11',
    id: 'req-1',
    body: async () => new Uint8Array(),
  }
  await proxy(request)
  return promise
}

describe('the metadata proxy', () => {
  it('says on which network and from which address a request came', async () => {
    const headers = await passedOn(NETWORK)
    assert.equal(headers.get('x-neutron-network-id'), 'ac52ac2a-6e45-46bd-a838-1a6fcd4b8568')
    assert.equal(headers.get('x-forwarded-for'), '10.0.0.11')
  })

  it('says through which router it came', async () => {
    const headers = await passedOn({ routerId: 'r1' as RouterId })
    assert.equal(headers.get('x-neutron-router-id'), 'r1')
    assert.equal(headers.get('x-neutron-network-id'), undefined)
  })

  it('leaves everything else as the guest sent it', async () => {
    const headers = await passedOn(NETWORK, ['User-Agent', 'Cloud-Init/22.4.2'], ['Accept', '*/*'])
    assert.deepEqual(headers.fields.slice(0, 2), [
      ['user-agent', 'Cloud-Init/22.4.2'],
      ['accept', '*/*'],
    ])
  })

  it('marks what a proxy in the guest has forwarded, and only that', async () => {
    const forwarded = await passedOn(NETWORK, ['X-Forwarded-For', '10.0.0.99'])
    assert.equal(forwarded.get('x-forwarded-by-guest'), 'yes')
    assert.equal(forwarded.get('x-forwarded-for'), '10.0.0.11')
    const own = await passedOn(NETWORK, ['X-Forwarded-By-Guest', 'evil'])
    assert.equal(own.get('x-forwarded-by-guest'), undefined)
  })

  const forged = [
    'X-Forwarded-For',
    'X-Neutron-Network-ID',
    'X-Neutron-Router-ID',
    'X-OVN-Network-ID',
    'X-Instance-ID',
    'X-Instance-ID-Signature',
    'X-Tenant-ID',
    'X-Project-ID',
    'X-Metadata-Provider',
    'X-Metadata-Provider-Signature',
    'X-Request-ID',
    'Forwarded',
    'X-Real-IP',
  ]
  const spellings: [name: string, spell: (name: string) => string][] = [
    ['as documented', (name) => name],
    ['in lower case', (name) => name.toLowerCase()],
    ['in upper case', (name) => name.toUpperCase()],
    ['with underscores', (name) => name.replaceAll('-', '_')],
  ]
  for (const name of forged)
    for (const [how, spell] of spellings)
      it(`drops a guest's ${name} ${how}`, async () => {
        const headers = await passedOn(NETWORK, [spell(name), 'evil'], [spell(name), 'evil2'])
        const values = headers.fields.map(([, value]) => value)
        assert.ok(!values.some((value) => value.startsWith('evil')), values.join())
      })
})
