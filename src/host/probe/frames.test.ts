import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import { arpProbe, dhcpDiscover, echoRequest, readArp, readIpv4, readOffer, sourceOf } from './frames.ts'

const ME = '02:00:00:00:00:01' as MacAddress
const GUEST = 'fa:16:3e:00:00:01' as MacAddress
const ip = (text: string) => text as IpAddress

/** As dnsmasq 2.90 answered: BOOTP, the magic cookie, and options. */
function offer(xid: number, options: readonly number[]): Buffer {
  const frame = dhcpDiscover(ME, GUEST, xid)
  const udp = 14 + 20
  frame.writeUInt16BE(67, udp)
  frame.writeUInt16BE(68, udp + 2)
  frame.set([10, 0, 0, 11], udp + 8 + 16)
  frame.set([...options, 255], udp + 8 + 240)
  return frame
}

describe('frames', () => {
  it('of ARP can be read back, and ask in nobody’s name', () => {
    const probe = arpProbe(ME, ip('10.0.0.11'))
    assert.equal(sourceOf(probe), ME)
    assert.deepEqual(readArp(probe), { isReply: false, mac: ME, sender: '0.0.0.0', target: '10.0.0.11' })
  })

  it('of a ping have a right checksum and go where they are sent', () => {
    const ends = { source: ip('169.254.169.254'), destination: ip('10.0.0.11'), from: ME, to: GUEST }
    const frame = echoRequest(ends, 7)
    const { source, destination, to } = readIpv4(frame) ?? assert.fail('no packet')
    assert.deepEqual({ source, destination, to }, { source: ends.source, destination: ends.destination, to: GUEST })
    let sum = 0
    for (let at = 14; at < 34; at += 2) sum += frame.readUInt16BE(at)
    assert.equal((sum & 0xffff) + (sum >>> 16), 0xffff)
  })

  it('of an offer tell server, address and classless routes', () => {
    const routes = [121, 14, 32, 169, 254, 169, 254, 10, 0, 0, 2, 0, 10, 0, 0, 1]
    const found = readOffer(offer(9, [53, 1, 2, 54, 4, 10, 0, 0, 2, 26, 2, 5, 170, ...routes]), 9)
    assert.deepEqual(found, {
      server: '10.0.0.2',
      address: '10.0.0.11',
      router: undefined,
      mtu: 1450,
      routes: new Map([
        ['169.254.169.254/32', '10.0.0.2'],
        ['0.0.0.0/0', '10.0.0.1'],
      ]),
    })
  })

  const nothing: readonly { readonly name: string; readonly frame: Buffer }[] = [
    { name: 'an answer to somebody else', frame: offer(8, [53, 1, 2]) },
    { name: 'an acknowledgement', frame: offer(9, [53, 1, 5]) },
    { name: 'a question', frame: dhcpDiscover(ME, GUEST, 9) },
    { name: 'a cut frame', frame: offer(9, [53, 1, 2]).subarray(0, 60) },
    { name: 'no frame', frame: Buffer.alloc(3) },
  ]
  for (const { name, frame } of nothing) it(`${name} is no offer`, () => assert.equal(readOffer(frame, 9), undefined))

  it('with lengths that lie do not throw', () => {
    for (const options of [[121, 200, 32, 1], [26, 1, 5], [54, 2, 1, 1], [53]])
      readOffer(offer(9, [53, 1, 2, ...options]).subarray(0, 14 + 20 + 8 + 240 + 3 + options.length), 9)
  })
})
