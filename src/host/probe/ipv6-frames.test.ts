import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import { readOffer6, relayedSolicit } from './dhcpv6-frames.ts'
import {
  claimOf,
  everybodyPing,
  type Ipv6Packet,
  multicastMac,
  neighbourSolicitation,
  pingReplyOf,
  readAdvert,
  readIpv6,
  routerSolicitation,
} from './ipv6-frames.ts'

const ip = (text: string) => text as IpAddress
const ME = { mac: '02:fb:28:8c:aa:a3' as MacAddress, address: ip('fe80::4667:817:99d5:52cb') }
const GUEST = 'fa:16:3e:00:00:01' as MacAddress
const XID = 0x6fd243

/** Of radvd 2.19, on a subnet whose addresses are leased. */
const ADVERT = Buffer.from(
  `02fb288caaa3fa163e5fc67486dd600a26ff00583afffe80000000000000f816
3efffe5fc674fe800000000000004667081799d552cb860042f14080012c0000
0000000000000304408000015180000038400000 0000fd000006000000000000
00000000000018038000 0000012cfe8000000000000000000000a9fea9fe0501
0000000005dc0101fa163e5fc674`.replaceAll(/\s/g, ''),
  'hex',
)

/** Of dnsmasq 2.90, which has the address reserved for the guest's MAC. */
const OFFER = Buffer.from(
  `02fb288caaa3fa163e22dd4a86dd6c09ee4e00b91140fe800000000000000000
0000a9fea9fefe800000000000004667081799d552cb0223022300b9de1e0d00
fd000006000000000000000000000000fe80000000000000f8163efffe000001
0009008b026fd2430001000a00030001fa163e0000010002000e000100013294
a46cfa163e22dd4a00030028000000010000a8c00001275000050018fd000006
000000000000000000000011000151800001 5180000d00090000737563636573
7300070001000017 0010fd0000060000000000000000000000010027 0011010f
686f73742d666430302d362d2d3131`.replaceAll(/\s/g, ''),
  'hex',
)

const packet = (frame: Buffer): Ipv6Packet => readIpv6(frame) ?? assert.fail('no packet')

/** RFC 8200, 8.1: with the sum itself in it the sum is all ones. */
function sumOf(frame: Buffer): number {
  const [payload, next] = [frame.subarray(54), frame.readUInt8(20)]
  const tail = Buffer.from([0, 0, payload.length >> 8, payload.length & 0xff, 0, 0, 0, next])
  const all = Buffer.concat([frame.subarray(22, 54), tail, payload, Buffer.alloc(payload.length % 2)])
  let sum = 0
  for (let at = 0; at < all.length; at += 2) sum += all.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}

describe('frames of IPv6', () => {
  const lessee = { mac: GUEST, linkLocal: ip('fe80::f816:3eff:fe00:1'), link: ip('fd00:6::'), identity: undefined }
  const questions: readonly { readonly name: string; readonly frame: Buffer; readonly to: string }[] = [
    { name: 'a router solicitation', frame: routerSolicitation(ME), to: '33:33:00:00:00:02' },
    {
      name: 'a neighbour solicitation',
      frame: neighbourSolicitation(ME, ip('fd00:6::11')),
      to: '33:33:ff:00:00:11',
    },
    { name: 'a ping of whatever address a device has', frame: everybodyPing(ME, GUEST, 7), to: GUEST },
    { name: 'a solicitation of DHCPv6', frame: relayedSolicit(ME, lessee, XID), to: '33:33:00:01:00:02' },
  ]
  for (const { name, frame, to } of questions)
    it(`${name} goes where it belongs, with a right checksum`, () => {
      assert.equal(frame.toString('hex', 0, 6), to.replaceAll(':', ''))
      const { mac, source } = packet(frame)
      assert.deepEqual([mac, source], [ME.mac, ME.address])
      assert.equal(sumOf(frame), 0xffff)
    })

  it('of a router tell its prefixes and routes', () => {
    assert.deepEqual(readAdvert(packet(ADVERT)), {
      mac: 'fa:16:3e:5f:c6:74',
      address: 'fe80::f816:3eff:fe5f:c674',
      isDefault: true,
      prefixes: ['fd00:6::/64'],
      routes: ['fe80::a9fe:a9fe/128'],
    })
  })

  it('of a DHCPv6 server tell the address it offers, to whoever asked', () => {
    const offer = { server: 'fe80::a9fe:a9fe', mac: 'fa:16:3e:22:dd:4a', address: 'fd00:6::11' }
    assert.deepEqual(readOffer6(packet(OFFER), XID), offer)
    assert.equal(readOffer6(packet(OFFER), XID + 1), undefined)
  })

  it('of a neighbour tell the address it has', () => {
    const claim = everybodyPing(ME, GUEST, 0).subarray(0, 58)
    const body = Buffer.concat([Buffer.alloc(4), Buffer.from('fd000006000000000000000000000011', 'hex')])
    const frame = Buffer.concat([claim.subarray(0, 54), Buffer.from([136, 0, 0, 0]), body])
    frame.writeUInt16BE(frame.length - 54, 18)
    assert.equal(claimOf(packet(frame)), 'fd00:6::11')
    assert.equal(pingReplyOf(packet(frame)), undefined)
  })

  it('to a group have its address', () => assert.equal(multicastMac(ip('ff02::1:ff00:11')), '33:33:ff:00:00:11'))

  it('that are cut or lie about lengths do not throw', () => {
    for (const whole of [ADVERT, OFFER])
      for (let size = 0; size < whole.length; size++) {
        const cut = readIpv6(whole.subarray(0, size))
        if (cut === undefined) continue
        readAdvert(cut)
        readOffer6(cut, XID)
        claimOf(cut)
        pingReplyOf(cut)
      }
    for (const at of [58, 70, 71, 96, 97, 98]) {
      const lying = Buffer.from(ADVERT)
      lying[at] = 0xff
      readAdvert(packet(lying))
    }
  })
})
