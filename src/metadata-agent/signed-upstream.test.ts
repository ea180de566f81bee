import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { OutgoingRequest } from '../http/hop.ts'
import { Headers, type HttpRequest } from '../http/messages.ts'
import type { IpAddress } from '../inventory/records/address.ts'
import type { InstanceId, ProjectId } from '../inventory/records/ids.ts'
import { signature, signedUpstream } from './signed-upstream.ts'

it('signs as neutron does (vectors of the real agent and API)', () => {
  assert.equal(
    signature('6f70656e-7374-6163-6b54-657374696e67', 'secret'),
    '4953783e2c2cf29326688c7684bdeddfa46f285e00131493a30981763f66f51d',
  )
  assert.equal(
    signature('b65cee2f-8c69-4aeb-be2f-f79742548fc2', ''),
    '988ce0432879b2da725247b4a4c1a9ea78966115a19bcd11de5389b1e37c0fed',
  )
})

/** What the metadata API receives for a request with these header lines. */
async function passedOn(...fields: [string, string][]): Promise<OutgoingRequest> {
  const { promise, resolve } = Promise.withResolvers<OutgoingRequest>()
  const send = async (request: OutgoingRequest) => {
    resolve(request)
    return { status: 200, headers: [], forwarded: new Uint8Array() }
  }
  const upstream = signedUpstream({ send, close: async () => undefined }, 'secret')
  const caller = { instanceId: 'i' as InstanceId, projectId: 'p' as ProjectId, address: '10.0.0.11' as IpAddress }
  const request: HttpRequest = {
    method: 'POST',
    target: '/openstack/latest/password?x=%2F..',
    headers: Headers.of([...fields, ['Content-Length', '3']]),
    remoteAddress: '',
    id: 'req-7',
    body: async () => Buffer.from('abc'),
  }
  await upstream(caller, request)
  return promise
}

it('passes on who asks and nothing a guest could forge', async () => {
  const sent = await passedOn(
    ['Accept', 'text/html'],
    ['X-Instance-ID', 'somebody-else'],
    ['X-Tenant-ID', 'somebody-else'],
    ['Cookie', 'a=b'],
  )
  assert.equal(sent.method, 'POST')
  assert.equal(sent.target, '/openstack/latest/password?x=%2F..')
  assert.deepEqual(sent.headers.fields, [
    ['accept', 'text/html'],
    ['x-forwarded-for', '10.0.0.11'],
    ['x-instance-id', 'i'],
    ['x-tenant-id', 'p'],
    ['x-instance-id-signature', signature('i', 'secret')],
    ['x-request-id', 'req-7'],
  ])
  assert.deepEqual(Buffer.from(sent.body as Uint8Array).toString(), 'abc')
})

const marks: { name: string; given: [string, string]; want: string | undefined }[] = [
  { name: 'a proxy’s mark goes on', given: ['X-Forwarded-By-Guest', 'yes'], want: 'yes' },
  {
    name: 'haproxy leaves the guest’s header and adds its own',
    given: ['X-Forwarded-For', '10.9.9.9, 10.0.0.11'],
    want: 'yes',
  },
  { name: 'one address is the proxy’s own', given: ['X-Forwarded-For', '10.0.0.11'], want: undefined },
]
for (const { name, given, want } of marks)
  it(`says whether the guest’s request was forwarded: ${name}`, async () =>
    assert.equal((await passedOn(given)).headers.get('x-forwarded-by-guest'), want))
