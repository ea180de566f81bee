import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleInstance, ip } from '../../test/nova-example.ts'
import { agentHeaders, FakeInventory, request, serviceDeps, signature, startService } from '../../test/nova-service.ts'
import { parseMacAddress } from '../inventory/records/address.ts'
import type { InstanceId, NetworkId, PortId, ProjectId, SubnetId } from '../inventory/records/ids.ts'
import type { Port } from '../inventory/records/port.ts'
import type { MetadataApiDeps } from './metadata-api.ts'

const instance = exampleInstance()
const good = agentHeaders(instance, 's3cr3t')
const UNKNOWN = '00000000-0000-4000-8000-000000000000'

/** `null` takes a header away. */
function changed(changes: Readonly<Record<string, string | null>>): Readonly<Record<string, string>> {
  const headers: Record<string, string | null> = { ...good, ...changes }
  return Object.fromEntries(Object.entries(headers).filter((field): field is [string, string] => field[1] !== null))
}

const missing = (name: string) => [400, `${name} header is missing from request.`] as const
const mismatch = [403, 'Invalid proxy request signature.'] as const
const notFound = [404, 'The resource could not be found.'] as const

/** In the order in which the checks win: each row fails its own check and every later one. */
const cases: readonly {
  readonly name: string
  readonly headers: Readonly<Record<string, string>>
  readonly want: readonly [number, string?]
}[] = [
  { name: 'nothing', headers: {}, want: missing('X-Instance-ID') },
  { name: 'no signature, no project', headers: { 'X-Instance-ID': UNKNOWN }, want: missing('X-Instance-ID-Signature') },
  {
    name: 'no project, bad signature',
    headers: { 'X-Instance-ID': UNKNOWN, 'X-Instance-ID-Signature': 'bad' },
    want: missing('X-Tenant-ID'),
  },
  { name: 'bad signature of an unknown instance', headers: changed({ 'X-Instance-ID': UNKNOWN }), want: mismatch },
  {
    name: 'unknown instance, other project',
    headers: changed({
      'X-Instance-ID': UNKNOWN,
      'X-Instance-ID-Signature': signature(UNKNOWN, 's3cr3t'),
      'X-Tenant-ID': 'other',
    }),
    want: notFound,
  },
  { name: 'other project', headers: changed({ 'X-Tenant-ID': 'other' }), want: notFound },
  { name: 'project in another case', headers: changed({ 'X-Tenant-ID': 'PROJ' }), want: notFound },
  { name: 'empty instance id', headers: changed({ 'X-Instance-ID': '' }), want: mismatch },
  { name: 'empty signature', headers: changed({ 'X-Instance-ID-Signature': '' }), want: mismatch },
  { name: 'empty project', headers: changed({ 'X-Tenant-ID': '' }), want: notFound },
  { name: 'doubled instance id', headers: changed({ 'x-instance-id': instance.id }), want: mismatch },
  { name: 'doubled project', headers: changed({ 'x-tenant-id': 'proj' }), want: notFound },
  { name: 'a signature that is not ASCII', headers: changed({ 'X-Instance-ID-Signature': 'é' }), want: mismatch },
  { name: 'all good', headers: good, want: [200] },
  { name: 'nobody said who forwarded', headers: changed({ 'X-Forwarded-For': null }), want: [200] },
  {
    name: 'an instance id in upper case',
    headers: changed({
      'X-Instance-ID': instance.id.toUpperCase(),
      'X-Instance-ID-Signature': signature(instance.id.toUpperCase(), 's3cr3t'),
    }),
    want: [200],
  },
]

for (const { name, headers, want } of cases) {
  test(`signed instance id: ${name}`, async () => {
    const { handler } = startService(new FakeInventory([instance]))
    const reply = await handler(request({ target: '/openstack', headers }))
    const explanation = reply.status === 200 ? undefined : Buffer.from(reply.body).toString().split('\n')[2]
    assert.deepEqual([reply.status, ...(explanation === undefined ? [] : [explanation])], want)
    const badPath = await handler(request({ target: '/openstack/no/such/path', headers }))
    assert.equal(badPath.status, want[0] === 200 ? 404 : want[0], 'the path is looked at last')
  })
}

test('a refused signature names neither the secret nor the right value', async () => {
  const lines: unknown[] = []
  const record = (...line: unknown[]) => void lines.push(line)
  const log = { debug: record, info: record, warn: record, error: record } as MetadataApiDeps['log']
  const { handler } = startService(new FakeInventory([instance]), { log })
  const sent = 'f'.repeat(64)
  const reply = await handler(request({ target: '/openstack', headers: changed({ 'X-Instance-ID-Signature': sent }) }))
  const heard = Buffer.from(reply.body).toString() + JSON.stringify(lines)
  assert.match(heard, /signature-mismatch/)
  for (const secret of ['s3cr3t', sent, signature(instance.id, 's3cr3t')]) assert.ok(!heard.includes(secret))
})

function port(id: string, address: string, deviceId: string): Port {
  return {
    id: id as PortId,
    networkId: `network of ${id}` as NetworkId,
    projectId: 'proj' as ProjectId,
    name: '',
    macAddress: parseMacAddress('fa:16:3e:00:00:01') ?? assert.fail(),
    adminStateUp: true,
    fixedIps: [{ subnetId: 'subnet' as SubnetId, ipAddress: ip(address) }],
    securityGroupIds: [],
    deviceId,
    deviceOwner: 'compute:nova',
    vnicType: 'normal',
    vifType: 'ovs',
    portSecurityEnabled: true,
    allowedAddressPairs: [],
  }
}

const addresses: readonly { readonly name: string; readonly remoteAddress: string; readonly want: number }[] = [
  { name: 'its own', remoteAddress: '10.0.0.5', want: 200 },
  { name: 'its own, seen through an IPv6 socket', remoteAddress: '::ffff:10.0.0.5', want: 200 },
  { name: 'nobody’s', remoteAddress: '10.0.0.6', want: 404 },
  { name: 'a free port’s', remoteAddress: '10.0.0.8', want: 404 },
  { name: 'a DHCP port’s', remoteAddress: '10.0.0.2', want: 404 },
  { name: 'used in two networks', remoteAddress: '10.0.0.7', want: 500 },
  { name: 'unknown to the socket', remoteAddress: '', want: 500 },
  { name: 'link-local', remoteAddress: 'fe80::1%eth0', want: 404 },
]

for (const { name, remoteAddress, want } of addresses) {
  test(`plain source address: ${name}`, async () => {
    const other = exampleInstance({ id: UNKNOWN as InstanceId })
    const inventory = new FakeInventory([instance, other])
    inventory.putPort(port('a', '10.0.0.5', instance.id))
    inventory.putPort(port('b', '10.0.0.7', instance.id))
    inventory.putPort(port('c', '10.0.0.7', other.id))
    inventory.putPort(port('d', '10.0.0.8', ''))
    inventory.putPort(port('e', '10.0.0.2', 'dhcp-host-network'))
    const { handler } = startService(inventory, direct(inventory))
    const forged = agentHeaders(other, 's3cr3t')
    const reply = await handler(request({ target: '/latest/meta-data/local-ipv4', headers: forged, remoteAddress }))
    assert.equal(reply.status, want)
    if (want === 200)
      assert.equal(Buffer.from(reply.body).toString(), '10.0.0.5', 'the connection counts, not the header')
  })
}

test('plain source address: a port that comes later is found', async () => {
  const inventory = new FakeInventory([instance])
  const { handler } = startService(inventory, direct(inventory))
  const asked = request({ target: '/openstack', remoteAddress: '10.0.0.5' })
  assert.equal((await handler(asked)).status, 404)
  inventory.putPort(port('a', '10.0.0.5', instance.id))
  assert.equal((await handler(asked)).status, 200)
})

function direct(inventory: FakeInventory): Partial<MetadataApiDeps> {
  return { options: { ...serviceDeps(inventory).options, serviceMetadataProxy: false } }
}
