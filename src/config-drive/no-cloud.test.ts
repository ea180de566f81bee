import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { exampleContext, exampleInstance, exampleInterface } from '../../test/nova-example.ts'
import type { Json } from '../documents/json.ts'
import type { Instance } from '../inventory/records/instance.ts'
import { noCloudFiles } from './no-cloud.ts'

function files(changes: Partial<Instance> = {}, vendor?: Json): ReadonlyMap<string, string> {
  const vendorData = { providers: ['StaticJSON'] as const, static: vendor, dynamic: [] }
  const context = { ...exampleContext(), vendorData }
  const made = noCloudFiles(exampleInstance(changes), context, 2)
  return new Map(made.map(({ path, content }) => [path, Buffer.from(content).toString()]))
}

describe('a NoCloud drive', () => {
  it('always has user-data, without which it is no data source', () => {
    assert.equal(files({ userData: null }).get('user-data'), '')
    assert.equal(files().get('user-data'), '#!/bin/sh\n')
  })

  it('says who the instance is, and whose key it has', () =>
    assert.deepEqual(JSON.parse(files({ properties: [['role', 'web']] }).get('meta-data') ?? ''), {
      'instance-id': 'b65cee2f-8c69-4aeb-be2f-f79742548fc2',
      'local-hostname': 'test.novalocal',
      'public-keys': ['ssh-ed25519 AAAA key'],
      'availability-zone': 'nova',
      meta: { role: 'web' },
    }))

  it('takes no certificate for an SSH key', () => {
    const keypair = { name: 'key', type: 'x509', data: '-----BEGIN' } as const
    assert.equal(JSON.parse(files({ keypair, keyData: null }).get('meta-data') ?? '')['public-keys'], undefined)
  })

  it('has network-config when there is an interface', () => {
    assert.equal(files().has('network-config'), false)
    assert.equal(files({ interfaces: [exampleInterface()] }).has('network-config'), true)
  })

  const vendors: readonly { name: string; given: Json | undefined; want: string | undefined }[] = [
    { name: 'none', given: undefined, want: undefined },
    { name: 'a text', given: '#cloud-config\n', want: '#cloud-config\n' },
    { name: 'the part for cloud-init', given: new Map([['cloud-init', '#!/bin/sh\n']]), want: '#!/bin/sh\n' },
    { name: 'only for others', given: new Map([['juju', 'x']]), want: undefined },
    {
      name: 'several parts',
      given: ['#!/bin/sh\n', '#cloud-config\n'],
      want: '#cloud-config-archive\n[{"content": "#!/bin/sh\\n"}, {"content": "#cloud-config\\n"}]\n',
    },
  ]
  for (const { name, given, want } of vendors)
    it(`carries vendor data: ${name}`, () => assert.equal(files({}, given).get('vendor-data'), want))
})
