import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleInstance } from './nova-example.ts'
import { type Asking, agentHeaders, bodyText, FakeInventory, request, startService } from './nova-service.ts'

/** Requests measured against Nova itself: what came back, and how many bytes of it. */
const instance = exampleInstance()
const good = agentHeaders(instance, 's3cr3t')

function without(name: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(good).filter(([field]) => field !== name))
}

const plain = { ...good, Accept: 'text/plain' }
const any = (headers: Readonly<Record<string, string>>) => ({ ...headers, Accept: '*/*' })

const cases: readonly {
  readonly name: string
  readonly asking: Asking
  readonly stored?: string
  readonly want: { readonly status: number; readonly bytes?: number; readonly body?: string }
}[] = [
  { name: 'the root', asking: { target: '/' }, want: { status: 200, bytes: 98 } },
  { name: 'no headers, HTML', asking: { target: '/openstack', headers: any({}) }, want: { status: 400, bytes: 171 } },
  { name: 'no headers, text', asking: { target: '/openstack' }, want: { status: 400, bytes: 67 } },
  {
    name: 'no signature',
    asking: { target: '/openstack', headers: any(without('X-Instance-ID-Signature')) },
    want: { status: 400, bytes: 181 },
  },
  {
    name: 'no project',
    asking: { target: '/openstack', headers: any(without('X-Tenant-ID')) },
    want: { status: 400, bytes: 169 },
  },
  {
    name: 'bad signature',
    asking: { target: '/openstack', headers: { ...plain, 'X-Instance-ID-Signature': 'bad' } },
    want: { status: 403, bytes: 52 },
  },
  {
    name: 'other project',
    asking: { target: '/openstack', headers: { ...plain, 'X-Tenant-ID': 'other' } },
    want: { status: 404, bytes: 52 },
  },
  {
    name: 'no forwarder',
    asking: { target: '/openstack', headers: without('X-Forwarded-For') },
    want: { status: 200, bytes: 105 },
  },
  { name: 'newest listing', asking: { target: '/openstack/latest', headers: good }, want: { status: 200, bytes: 86 } },
  {
    name: 'oldest listing',
    asking: { target: '/openstack/2012-08-10', headers: good },
    want: { status: 200, bytes: 24 },
  },
  {
    name: 'EC2 version',
    asking: { target: '/latest/', headers: good },
    want: { status: 200, bytes: 20, body: 'meta-data/\nuser-data' },
  },
  {
    name: 'no such leaf',
    asking: { target: '/latest/meta-data/nope', headers: any(good) },
    want: { status: 404, bytes: 154 },
  },
  {
    name: 'public key',
    asking: { target: '/latest/meta-data/public-keys/0/openssh-key', headers: good },
    want: { status: 200, body: 'ssh-ed25519 AAAA key' },
  },
  {
    name: 'vendor data',
    asking: { target: '/openstack/latest/vendor_data.json', headers: good },
    want: { status: 200, body: '{}' },
  },
  {
    name: 'vendor data 2',
    asking: { target: '/openstack/latest/vendor_data2.json', headers: good },
    want: { status: 200, body: '{"static": {}}' },
  },
  {
    name: 'password',
    asking: { method: 'POST', target: '/openstack/latest/password', headers: good, body: 'x'.repeat(1020) },
    want: { status: 200, bytes: 0 },
  },
  {
    name: 'password too long',
    asking: { method: 'POST', target: '/openstack/latest/password', headers: good, body: 'x'.repeat(1021) },
    want: { status: 400, bytes: 43 },
  },
  {
    name: 'password again',
    stored: 'x',
    asking: { method: 'POST', target: '/openstack/latest/password', headers: plain, body: 'y' },
    want: { status: 409, bytes: 77 },
  },
  {
    name: 'password by PUT',
    asking: { method: 'PUT', target: '/openstack/latest/password', headers: plain, body: 'y' },
    want: { status: 400, bytes: 54 },
  },
]

for (const { name, asking, stored = '', want } of cases) {
  test(`conformance: ${name}`, async () => {
    const { handler } = startService(new FakeInventory([{ ...instance, password: stored }]))
    const reply = await handler(request(asking))
    assert.equal(reply.status, want.status)
    if (want.bytes !== undefined) assert.equal(reply.body.length, want.bytes)
    if (want.body !== undefined) assert.equal(bodyText(reply), want.body)
  })
}
