import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleContext, exampleInstance, exampleInterface, exampleSubnet, fixedIp } from '../../test/nova-example.ts'
import type { Instance } from '../inventory/records/instance.ts'
import type { Context } from './context.ts'
import { readTarget } from './path.ts'
import { locate, readPlace } from './tree.ts'

function read(target: string, instance: Instance = exampleInstance(), context: Context = exampleContext()) {
  const place = locate(readTarget(target)?.names ?? assert.fail(target), context.release)
  const document = place && readPlace(place, instance, context)
  return document && Buffer.from(document.body).toString()
}

const plain = exampleInstance()
const odd = exampleInstance({
  keyName: 'my key/=x',
  userData: '',
  availabilityZone: null,
  ec2: { ...plain.ec2, imageId: null },
})

const ZED_LISTING = 'meta_data.json\nuser_data\npassword\nvendor_data.json\nnetwork_data.json\nvendor_data2.json'

const cases: readonly { target: string; instance?: Instance; context?: Partial<Context>; want: string | undefined }[] =
  [
    {
      target: '/ec2',
      want: '1.0\n2007-01-19\n2007-03-01\n2007-08-29\n2007-10-10\n2007-12-15\n2008-02-01\n2008-09-01\n2009-04-04\nlatest',
    },
    { target: '/latest', want: 'meta-data/\nuser-data' },
    { target: '/latest', instance: exampleInstance({ userData: null }), want: 'meta-data/' },
    { target: '/ec2/latest/user-data', want: '#!/bin/sh\n' },
    { target: '/latest/user-data', instance: odd, want: '' },
    { target: '/latest', instance: odd, want: 'meta-data/\nuser-data' },
    { target: '/latest/user-data/0', want: undefined },
    { target: '/2021-01-03', want: undefined },
    { target: '/Latest', want: undefined },
    { target: '/ec2/ec2/1.0', want: undefined },
    { target: '/latest/api/token', want: undefined },
    { target: '/latest/dynamic/instance-identity', want: undefined },
    { target: '/latest/meta-data/instance-id/x', want: undefined },
    { target: '/latest/meta-data/ami-launch-index/0', want: undefined },
    { target: '/latest/meta-data/security-groups/default', want: undefined },
    { target: '/latest/meta-data/security-groups/0', want: undefined },
    { target: '/latest/meta-data/toString', want: undefined },
    { target: '/latest/meta-data/ami-id', instance: odd, want: 'None' },
    { target: '/latest/meta-data/placement/availability-zone', instance: odd, want: 'None' },
    { target: '/latest/meta-data/public-ipv4', want: '' },
    { target: '/latest/meta-data/local-ipv4', want: 'None' },
    {
      target: '/latest/meta-data/local-ipv4',
      context: { requesterAddress: '10.0.0.9, fe80::1' },
      want: '10.0.0.9, fe80::1',
    },
    { target: '/latest/meta-data/hostname', context: { dhcpDomain: '' }, want: 'test' },
    { target: '/latest/meta-data/hostname', instance: exampleInstance({ hostname: 'a.b' }), want: 'a.b.novalocal' },
    { target: '/latest/meta-data/public-keys', instance: odd, want: '0=my key/=x' },
    { target: '/latest/meta-data/public-keys/0', want: 'openssh-key' },
    { target: '/latest/meta-data/public-keys/0/_name', want: '0=key' },
    { target: '/latest/meta-data/public-keys/_name', want: undefined },
    { target: '/latest/meta-data/public-keys/0=key', want: undefined },
    { target: '/1.0/meta-data/public-ipv4', want: undefined },
    { target: '/2007-10-10/meta-data/block-device-mapping/ami', want: undefined },
    { target: '/2007-12-15/meta-data/block-device-mapping/ami', want: 'vda' },
    {
      target: '/openstack',
      want: '2012-08-10\n2013-04-04\n2013-10-17\n2015-10-15\n2016-06-30\n2016-10-06\n2017-02-22\n2018-08-27\n2020-10-14\nlatest',
    },
    { target: '/openstack', context: { today: '2013-10-16' }, want: '2012-08-10\n2013-04-04\nlatest' },
    { target: '/openstack', context: { today: '2013-10-17' }, want: '2012-08-10\n2013-04-04\n2013-10-17\nlatest' },
    { target: '/openstack/2020-10-14', context: { today: '2013-10-16' }, want: ZED_LISTING },
    { target: '/openstack/latest', want: ZED_LISTING },
    { target: '/openstack/latest/version', want: ZED_LISTING },
    { target: '/openstack/latest/version/x', want: undefined },
    {
      target: '/openstack/latest',
      instance: exampleInstance({ userData: null }),
      want: ZED_LISTING.replace('user_data\n', ''),
    },
    { target: '/openstack/2012-08-10', want: 'meta_data.json\nuser_data' },
    { target: '/openstack/2012-08-10/network_data.json', want: '{}' },
    { target: '/openstack/2012-08-10/password', want: undefined },
    { target: '/openstack/2013-04-04/vendor_data.json', want: undefined },
    { target: '/openstack/2016-06-30/vendor_data2.json', want: undefined },
    { target: '/openstack/2025-04-04', want: undefined },
    { target: '/openstack/2025-04-04', context: { release: 'master' }, want: ZED_LISTING },
    { target: '/openstack/latest/user_data', instance: exampleInstance({ userData: null }), want: undefined },
    { target: '/openstack/latest/meta_data.json/x', want: undefined },
    { target: '/openstack/latest/content', want: undefined },
    { target: '/openstack/content', want: undefined },
    { target: '/openstack/content/0000', want: undefined },
    { target: '/OpenStack', want: undefined },
  ]

for (const { target, instance, context, want } of cases) {
  test(`${target} ${context ? JSON.stringify(context) : ''}`, () => {
    assert.equal(read(target, instance, exampleContext(context)), want)
  })
}

test('addresses are the first by interface, subnet and address', () => {
  const v6 = exampleSubnet({ ipVersion: 6, addresses: [fixedIp('2001:db8::5')] })
  const v4 = exampleSubnet({ addresses: [fixedIp('10.0.0.5'), fixedIp('10.0.0.6', '203.0.113.7', '203.0.113.6')] })
  const instance = exampleInstance({ interfaces: [exampleInterface({ subnets: [v6, v4] })] })
  assert.equal(read('/latest/meta-data/local-ipv4', instance), '10.0.0.5')
  assert.equal(read('/latest/meta-data/public-ipv4', instance), '203.0.113.7')
})
