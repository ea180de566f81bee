import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { exampleInstance } from '../../test/nova-example.ts'
import { recordedInstances, recordedSettings } from '../../test/nova-recordings.ts'
import { agentHeaders, bodyText, FakeInventory, request, signature, startService } from '../../test/nova-service.ts'
import { aPort, aSubnet } from '../../test/support/network-records.ts'
import type { InstanceId, NetworkId, ProjectId } from '../inventory/records/ids.ts'

const NETWORK_A = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa' as NetworkId
const NETWORK_B = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb' as NetworkId
const ELSEWHERE = 'cccccccc-cccc-4ccc-8ccc-cccccccccccc' as NetworkId

const instance = exampleInstance()
const projectId = instance.projectId
const deviceId = instance.id

/** Provider lb-1 asks for networks A and B; network C uses the same addresses and is none of its business. */
function startWithProviders(sharedSecret = 's3cr3t') {
  const inventory = new FakeInventory([instance])
  const served = { advancedServiceProviders: ['lb-1', 'lb-2'] }
  inventory.putSubnet(aSubnet('a', '10.0.0.0/24', { ...served, networkId: NETWORK_A }))
  inventory.putSubnet(aSubnet('a6', 'fd00::/64', { ...served, networkId: NETWORK_A }))
  inventory.putSubnet(aSubnet('b', '10.0.0.0/24', { ...served, networkId: NETWORK_B }))
  inventory.putSubnet(aSubnet('c', '10.0.0.0/24', { networkId: ELSEWHERE }))
  const own = { projectId, deviceId }
  inventory.putPort(aPort('1', ['a=10.0.0.5', 'a6=fd00::5'], { ...own, networkId: NETWORK_A }))
  inventory.putPort(aPort('2', ['c=10.0.0.5'], { networkId: ELSEWHERE, deviceId: 'somebody else' }))
  inventory.putPort(aPort('3', ['a=10.0.0.7'], { ...own, networkId: NETWORK_A }))
  inventory.putPort(aPort('4', ['b=10.0.0.7'], { networkId: NETWORK_B }))
  inventory.putPort(aPort('5', ['b=10.0.0.2'], { networkId: NETWORK_B, projectId, deviceId: 'dhcp-host' }))
  inventory.putPort(aPort('6', ['b=10.0.0.6'], { deviceId, networkId: NETWORK_B, projectId: 'other' as ProjectId }))
  return startService(inventory, { sharedSecret }).handler
}

type Fields = Readonly<Record<string, string>>

const signed = (provider: string, from: string): Fields => ({
  'X-Metadata-Provider': provider,
  'X-Metadata-Provider-Signature': signature(provider, 's3cr3t'),
  'X-Forwarded-For': from,
})

const mismatch = [403, 'Invalid proxy request signature.'] as const
const notFound = [404, 'The resource could not be found.'] as const
const count = (found: number, from: string) =>
  [400, `Expected a single port matching provider lb-1 and IP ${from}. Found ${found}.`] as const

/** In the order in which the checks win: each row fails its own check and every later one. */
const cases: readonly {
  readonly name: string
  readonly headers: Fields
  readonly sharedSecret?: string
  readonly want: readonly [number, string?]
}[] = [
  {
    name: 'nobody said for whom',
    headers: { 'X-Metadata-Provider': 'nobody' },
    want: [400, 'X-Forwarded-For is missing from request.'],
  },
  {
    name: 'no signature',
    headers: { 'X-Metadata-Provider': 'nobody', 'X-Forwarded-For': '10.0.0.9' },
    want: mismatch,
  },
  {
    name: 'bad signature',
    headers: { ...signed('nobody', '10.0.0.9'), 'X-Metadata-Provider-Signature': signature('lb-1', 's3cr3t') },
    want: mismatch,
  },
  {
    name: 'a provider of no subnet',
    headers: signed('nobody', '10.0.0.9'),
    want: [400, 'Could not find any subnets for provider nobody'],
  },
  { name: 'an address of no port', headers: signed('lb-1', '10.0.0.9'), want: count(0, '10.0.0.9') },
  { name: 'an address in no form', headers: signed('lb-1', ''), want: count(0, '') },
  { name: 'a blank before the comma', headers: signed('lb-1', '10.0.0.5 , x'), want: count(0, '10.0.0.5 ') },
  { name: 'an address of two ports', headers: signed('lb-1', '10.0.0.7'), want: count(2, '10.0.0.7') },
  { name: 'the address of a DHCP port', headers: signed('lb-1', '10.0.0.2'), want: notFound },
  { name: 'a port of another project', headers: signed('lb-1', '10.0.0.6'), want: notFound },
  { name: 'one port', headers: signed('lb-1', '10.0.0.5'), want: [200] },
  { name: 'one port, by its IPv6 address', headers: signed('lb-2', 'fd00::5'), want: [200] },
  { name: 'the first of several addresses', headers: signed('lb-1', '10.0.0.5,10.0.0.7'), want: [200] },
  {
    name: 'without a secret nothing is signed',
    sharedSecret: '',
    headers: { 'X-Metadata-Provider': 'lb-1', 'X-Forwarded-For': '10.0.0.5' },
    want: [200],
  },
  {
    name: 'the instance headers do not count beside it',
    headers: { ...agentHeaders(instance, 's3cr3t'), ...signed('lb-1', '10.0.0.9') },
    want: count(0, '10.0.0.9'),
  },
  {
    name: 'an empty provider is none',
    headers: { ...agentHeaders(instance, 's3cr3t'), 'X-Metadata-Provider': '' },
    want: [200],
  },
]

for (const { name, headers, sharedSecret, want } of cases) {
  test(`metadata provider: ${name}`, async () => {
    const reply = await startWithProviders(sharedSecret)(request({ target: '/openstack', headers }))
    const explanation = reply.status === 200 ? undefined : bodyText(reply).split('\n')[2]
    assert.deepEqual([reply.status, ...(explanation === undefined ? [] : [explanation])], want)
  })
}

test('metadata provider: the address it names is the requester’s', async () => {
  const handler = startWithProviders()
  const asked = { target: '/latest/meta-data/local-ipv4', headers: signed('lb-1', '10.0.0.5, 192.0.2.1') }
  assert.equal(bodyText(await handler(request(asked))), '10.0.0.5')
})

interface RecordedNetwork {
  readonly metadata_provider: { readonly id: string; readonly networks: readonly NetworkId[] }
  readonly ports: readonly {
    readonly id: string
    readonly device_id: InstanceId
    readonly tenant_id: ProjectId
    readonly network_id: NetworkId
    readonly fixed_ips: readonly { readonly ip_address: string; readonly subnet_id: string }[]
  }[]
}

test('metadata provider: each address of the recorded networks is its instance’s, as with a signed id', async () => {
  const { metadata_provider: provider, ports } = JSON.parse(
    readFileSync(new URL('../../test/golden/nova/inputs.json', import.meta.url), 'utf8'),
  ) as RecordedNetwork
  const inventory = new FakeInventory(recordedInstances.values())
  for (const [n, networkId] of provider.networks.entries())
    inventory.putSubnet(aSubnet(`${n}`, '10.0.0.0/24', { networkId, advancedServiceProviders: [provider.id] }))
  for (const { id, device_id: deviceId, tenant_id: projectId, network_id: networkId, fixed_ips } of ports) {
    const addresses = fixed_ips.map(({ subnet_id, ip_address }) => `${subnet_id}=${ip_address}`)
    inventory.putPort(aPort(id, addresses, { deviceId, projectId, networkId }))
  }
  const { sharedSecret } = recordedSettings
  const { handler } = startService(inventory, recordedSettings)
  const found: string[] = []
  for (const { device_id, network_id, fixed_ips } of ports) {
    if (!provider.networks.includes(network_id)) continue
    for (const { ip_address } of fixed_ips) {
      const target = '/openstack/latest/meta_data.json'
      const headers = {
        'X-Metadata-Provider': provider.id,
        'X-Metadata-Provider-Signature': signature(provider.id, sharedSecret),
        'X-Forwarded-For': ip_address,
      }
      const known = inventory.instance(device_id) ?? assert.fail(device_id)
      const signedReply = await handler(request({ target, headers: agentHeaders(known, sharedSecret) }))
      assert.deepEqual(await handler(request({ target, headers })), signedReply, ip_address)
      found.push(ip_address)
    }
  }
  assert.equal(found.length, 4)
})
