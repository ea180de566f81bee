import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type Cidr,
  contains,
  eui64Address,
  type IpAddress,
  isLinkLocal,
  lastAddress,
  macOfEui64,
  netmask,
  overlap,
  parseCidr,
  parseIpAddress,
  parseMacAddress,
  unmapped,
} from './address.ts'

describe('addresses', () => {
  const texts: [given: string, want: string | undefined][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
    ['fe80::1%eth0', undefined],
    ['010.0.0.1', undefined],
    ['10.1', undefined],
    ['167772161', undefined],
    ['0x0a000001', undefined],
    ['10.0.0.256', undefined],
    [' 10.0.0.1', undefined],
    ['', undefined],
    ['2001:db8::1::2', undefined],
  ]
  for (const [given, want] of texts)
    it(`${JSON.stringify(given)} is ${want ?? 'no address'}`, () => assert.equal(parseIpAddress(given), want))

  it('unmaps what a dual-stack socket shows, and nothing else', () => {
    assert.equal(unmapped('::ffff:10.10.2.241' as IpAddress), '10.10.2.241')
    assert.equal(unmapped('::fffe:1:2' as IpAddress), '::fffe:1:2')
    assert.equal(unmapped('10.0.0.1' as IpAddress), '10.0.0.1')
  })

  it('knows link-local addresses of both families', () => {
    assert.ok(isLinkLocal('fe80::1' as IpAddress))
    assert.ok(isLinkLocal('169.254.3.4' as IpAddress))
    assert.ok(!isLinkLocal('10.0.0.1' as IpAddress))
  })
})

describe('MAC addresses', () => {
  it('are written in lower case with colons', () =>
    assert.equal(parseMacAddress('FA-16-3E-00-00-01'), 'fa:16:3e:00:00:01'))
  for (const wrong of ['fa:16:3e:00:00', 'fa:16:3e:00:00:0g', 'fa163e000001', 'fa:16:3e:00:00:01:02'])
    it(`${wrong} is none`, () => assert.equal(parseMacAddress(wrong), undefined))

  it('make the EUI-64 address neutron computes, and come back from it', () => {
    const mac = parseMacAddress('fa:16:3e:be:3d:62')
    assert.ok(mac)
    const address = eui64Address('fe80::/64' as Cidr, mac)
    assert.equal(address, 'fe80::f816:3eff:febe:3d62')
    assert.equal(macOfEui64(address), mac)
    assert.equal(macOfEui64('fe80::1' as IpAddress), undefined)
  })
})

describe('CIDRs', () => {
  const texts: [given: string, want: string | undefined][] = [
    ['10.0.0.7/24', '10.0.0.0/24'],
    ['10.0.0.0/33', undefined],
    ['10.0.0.0', undefined],
    ['10.0.0.0/', undefined],
    ['10.0.0.0/-1', undefined],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8::5/64', '2001:db8::/64'],
    ['2001:db8::/129', undefined],
  ]
  for (const [given, want] of texts)
    it(`${JSON.stringify(given)} is ${want ?? 'none'}`, () => assert.equal(parseCidr(given), want))

  const masks: [given: string, mask: string, last: string][] = [
    ['10.0.0.0/24', '255.255.255.0', '10.0.0.255'],
    ['10.0.0.0/25', '255.255.255.128', '10.0.0.127'],
    ['10.0.0.4/32', '255.255.255.255', '10.0.0.4'],
    ['0.0.0.0/0', '0.0.0.0', '255.255.255.255'],
    ['2001:db8::/64', 'ffff:ffff:ffff:ffff::', '2001:db8::ffff:ffff:ffff:ffff'],
    ['2001:db8::/48', 'ffff:ffff:ffff::', '2001:db8:0:ffff:ffff:ffff:ffff:ffff'],
  ]
  for (const [given, mask, last] of masks)
    it(`${given} has mask ${mask} and ends at ${last}`, () => {
      assert.equal(netmask(given as Cidr), mask)
      assert.equal(lastAddress(given as Cidr), last)
    })

  it('contain their own addresses and no others', () => {
    assert.ok(contains('10.0.0.0/24' as Cidr, '10.0.0.255' as IpAddress))
    assert.ok(!contains('10.0.0.0/24' as Cidr, '10.0.1.0' as IpAddress))
    assert.ok(!contains('10.0.0.0/8' as Cidr, '::a00:1' as IpAddress))
  })

  it('overlap when one holds the other', () => {
    assert.ok(overlap('10.0.0.0/8' as Cidr, '10.1.0.0/16' as Cidr))
    assert.ok(overlap('10.1.0.0/16' as Cidr, '10.0.0.0/8' as Cidr))
    assert.ok(!overlap('10.0.0.0/24' as Cidr, '10.0.1.0/24' as Cidr))
  })
})
