import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { port, server, serverId, serverWithPort, surroundings } from '../../../test/contract/sample-records.ts'
import { nearest } from '../../text/nearest.ts'
import { applyChanges } from '../memory-store.ts'
import { emptyRecordSet } from '../records/records.ts'
import { randomGenerators } from './generators.ts'
import { hostnameOf } from './hostname.ts'
import { findRecords, listTable, parseNoun } from './listing.ts'
import { formatPath } from './problem.ts'
import { toWire } from './wire.ts'

describe('the hostname of a display name', () => {
  const cases = [
    { name: 'Web Server_1.x', want: 'web-server-1-x' },
    { name: 'DB server n°1 "prod"', want: 'db-server-n1-prod' },
    { name: 'Café', want: 'café' },
    { name: '世界', want: 'Server-u' },
    { name: '..-a-..', want: 'a' },
    { name: `${'x'.repeat(62)}-yyy`, want: 'x'.repeat(62) },
  ]
  for (const { name, want } of cases) test(name, () => assert.equal(hostnameOf(name, 'u'), want))
})

test('the nearest name is found through a typing mistake, and nothing is made up', () => {
  const cases = [
    { given: 'falvor', among: ['flavor', 'image'], want: 'flavor' },
    { given: 'netwrok', among: ['network', 'networks'], want: 'network' },
    { given: 'Blue', among: ['blue', 'green'], want: 'blue' },
    { given: 'blue', among: ['green'], want: undefined },
  ]
  for (const { given, among, want } of cases) assert.equal(nearest(given, among), want, given)
})

test('a path reads like the file, also where names are odd', () => {
  assert.equal(formatPath(['servers', 0, 'metadata', 'a b']), 'servers[0].metadata["a b"]')
  assert.equal(formatPath(['networks', 1, 'router:external']), 'networks[1].router:external')
  assert.equal(formatPath([]), '')
})

test('generated values have the form of the field', () => {
  assert.match(randomGenerators.mac(), /^fa:16:3e(:[0-9a-f]{2}){3}$/)
  assert.match(randomGenerators.reservationId(), /^r-[0-9a-z]{8}$/)
  assert.notEqual(randomGenerators.uuid(), randomGenerators.uuid())
})

describe('records on the wire', () => {
  test('have the names of the APIs, and bytes as base64', () => {
    const wire = toWire('server', server(11, { userData: 'AP8=', ec2Number: 15 }))
    assert.deepEqual(
      [wire['ec2_instance_id'], wire['user_data'], wire['metadata'], wire['admin_pass'], wire['launch_index']],
      ['i-0000000f', 'AP8=', { café: 'a\\b\n"c' }, 'S3cret!', 0],
    )
    const { fixed_ips, security_groups, 'binding:vif_type': vifType } = toWire('port', port(11))
    assert.deepEqual(fixed_ips, [{ subnet_id: port(11).fixedIps[0]?.subnetId, ip_address: '10.0.0.11' }])
    assert.deepEqual([security_groups, vifType], [port(11).securityGroupIds, 'ovs'])
  })
})

describe('lists', () => {
  const records = applyChanges(emptyRecordSet(), [...surroundings, ...serverWithPort(11)])

  test('name what is referred to', () => {
    assert.deepEqual(listTable('server', records), [
      ['id', 'name', 'project', 'addresses', 'flavor', 'hypervisor'],
      [serverId(11), 'web 11 世界', 'blue ✓', 'n=10.0.0.11', 'm1.small', 'external'],
    ])
  })

  test('find a record by id or name, and all that share a name', () => {
    assert.equal(findRecords('server', serverId(11).toUpperCase(), records).length, 1)
    assert.equal(findRecords('server', 'web 11 世界', records)[0]?.id, serverId(11))
    assert.equal(findRecords('network', 'n', records).length, 2)
    assert.deepEqual(findRecords('network', 'x', records), [])
  })

  test('know a noun however it is written', () => {
    const given = ['server', 'Servers', 'floating-ip', 'floating_ips', 'security-groups', 'thing']
    assert.deepEqual(given.map(parseNoun), [
      'server',
      'server',
      'floating_ip',
      'floating_ip',
      'security_group',
      undefined,
    ])
  })
})
