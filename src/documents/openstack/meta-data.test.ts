import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleContext, exampleInstance } from '../../../test/nova-example.ts'
import type { Instance } from '../../inventory/records/instance.ts'
import { metaData } from './meta-data.ts'
import type { OpenstackVersion } from './versions.ts'

function draw(
  changes: Partial<Instance>,
  version: OpenstackVersion = '2020-10-14',
  seed = new Uint8Array(512),
): string {
  return Buffer.from(metaData(exampleInstance(changes), version, exampleContext({ randomSeed: seed }))).toString()
}

test('all members in order, names and properties escaped as Python does', () => {
  const seed = new Uint8Array(512).fill(0xff)
  assert.equal(
    draw(
      {
        name: 'n°🚀',
        properties: [
          ['b', 'é'],
          ['10', '"'],
        ],
        launchIndex: 2,
        pinnedCpus: [
          [5, 1, 5],
          [1, 3],
        ],
      },
      '2020-10-14',
      seed,
    ),
    '{"uuid": "b65cee2f-8c69-4aeb-be2f-f79742548fc2", "meta": {"b": "\\u00e9", "10": "\\""}, ' +
      '"public_keys": {"key": "ssh-ed25519 AAAA key"}, ' +
      '"keys": [{"name": "key", "type": "ssh", "data": "ssh-ed25519 AAAA key"}], "hostname": "test.novalocal", ' +
      '"name": "n\\u00b0\\ud83d\\ude80", "launch_index": 2, "availability_zone": "nova", ' +
      `"random_seed": "${Buffer.from(seed).toString('base64')}", "project_id": "proj", "devices": [], ` +
      '"dedicated_cpus": [1, 1, 3, 5]}',
  )
})

const versions: readonly { readonly version: OpenstackVersion; readonly added: readonly string[] }[] = [
  { version: '2012-08-10', added: [] },
  { version: '2013-04-04', added: ['random_seed'] },
  { version: '2013-10-17', added: ['random_seed'] },
  { version: '2015-10-15', added: ['random_seed', 'project_id'] },
  { version: '2016-06-30', added: ['random_seed', 'project_id', 'devices'] },
  { version: '2018-08-27', added: ['random_seed', 'project_id', 'devices'] },
  { version: '2020-10-14', added: ['random_seed', 'project_id', 'devices', 'dedicated_cpus'] },
]

for (const { version, added } of versions) {
  test(`${version} has its own members`, () => {
    const bare = { keypair: null, availabilityZone: null }
    const oldest = ['uuid', 'hostname', 'name', 'launch_index', 'availability_zone']
    assert.deepEqual(Object.keys(JSON.parse(draw(bare, version))), [...oldest, ...added])
  })
}

test('a certificate appears among the public keys too', () => {
  const { public_keys, keys } = JSON.parse(draw({ keypair: { name: '1', type: 'x509', data: 'PEM\n' } }))
  assert.deepEqual(public_keys, { '1': 'PEM\n' })
  assert.deepEqual(keys, [{ name: '1', type: 'x509', data: 'PEM\n' }])
})

test('what is prepared is drawn once, the seed is not part of it', () => {
  const drawn = new Map<string, readonly Uint8Array[]>()
  const prepared = (key: string, make: () => readonly Uint8Array[]) => {
    const pieces = drawn.get(key) ?? make()
    drawn.set(key, pieces)
    return pieces
  }
  const instance = exampleInstance()
  const read = (fill: number) =>
    metaData(instance, '2020-10-14', exampleContext({ prepared, randomSeed: new Uint8Array(512).fill(fill) }))
  const plain = metaData(instance, '2020-10-14', exampleContext({ randomSeed: new Uint8Array(512).fill(2) }))
  assert.notDeepEqual(read(1), read(2))
  assert.deepEqual(Buffer.from(read(2)), Buffer.from(plain))
  assert.equal(drawn.size, 1)
})
