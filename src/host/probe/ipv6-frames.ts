import type { Cidr, IpAddress, MacAddress } from '../../inventory/records/address.ts'
import { addressBytes, addressOfBytes } from '../socket-address.ts'
import { checksum, ethernet, macBytes, macOf, payloadOf, sourceOf, TYPE } from './frames.ts'

/** IPv6 (RFC 8200) and what of ICMPv6 is spoken between neighbours (RFC 4861, routes by RFC 4191), as bytes. Pure. */

const IPV6 = { length: 4, next: 6, hops: 7, source: 8, destination: 24, size: 40 } as const
export const NEXT = { udp: 17, icmpv6: 58 } as const
/** What neighbours tell each other came from this link only if nobody has forwarded it. */
const MOST_HOPS = 255

/** Every node, and every router, of the link. */
export const ALL_NODES = 'ff02::1' as IpAddress
const ALL_ROUTERS = 'ff02::2' as IpAddress

/** Who asks. */
export interface Asker {
  readonly mac: MacAddress
  /** Link-local. */
  readonly address: IpAddress
}

export interface Ipv6Packet {
  readonly mac: MacAddress
  readonly source: IpAddress
  readonly next: number
  readonly payload: Buffer
}

/** @param checksumAt  where in the payload the checksum belongs */
export function ipv6(
  { mac, address }: Asker,
  [to, destination]: readonly [MacAddress, IpAddress],
  next: number,
  payload: Buffer,
  checksumAt: number,
): Buffer {
  const head = Buffer.alloc(IPV6.size)
  head.writeUInt8(0x60, 0)
  head.writeUInt16BE(payload.length, IPV6.length)
  head.writeUInt8(next, IPV6.next)
  head.writeUInt8(MOST_HOPS, IPV6.hops)
  head.set(addressBytes(address), IPV6.source)
  head.set(addressBytes(destination), IPV6.destination)
  const tail = Buffer.from([0, 0, payload.length >> 8, payload.length & 0xff, 0, 0, 0, next])
  const padding = Buffer.alloc(payload.length % 2)
  // Of UDP, 0 would mean that there is none.
  const sum = checksum(Buffer.concat([head.subarray(IPV6.source), tail, payload, padding])) || 0xffff
  payload.writeUInt16BE(sum, checksumAt)
  return ethernet(mac, to, TYPE.ipv6, Buffer.concat([head, payload]))
}

export function readIpv6(frame: Buffer): Ipv6Packet | undefined {
  const packet = payloadOf(frame, TYPE.ipv6)
  if (packet === undefined || packet.length < IPV6.size) return undefined
  return {
    mac: sourceOf(frame),
    source: addressOfBytes(packet.subarray(IPV6.source, IPV6.destination)),
    next: packet.readUInt8(IPV6.next),
    payload: packet.subarray(IPV6.size, IPV6.size + packet.readUInt16BE(IPV6.length)),
  }
}

/** RFC 2464. */
export function multicastMac(address: IpAddress): MacAddress {
  return macOf(Buffer.concat([Buffer.from([0x33, 0x33]), addressBytes(address).subarray(12)]), 0)
}

const ICMP = { echo: 128, reply: 129, routers: 133, advert: 134, neighbour: 135, neighbourAdvert: 136 } as const
const CHECKSUM = 2
const OPTION = { source: 1, target: 2, prefix: 3, route: 24 } as const

function icmpv6(asker: Asker, to: readonly [MacAddress, IpAddress], type: number, body: Uint8Array): Buffer {
  return ipv6(asker, to, NEXT.icmpv6, Buffer.concat([Buffer.from([type, 0, 0, 0]), body]), CHECKSUM)
}

function sourceOption({ mac }: Asker): Buffer {
  return Buffer.concat([Buffer.from([OPTION.source, 1]), macBytes(mac)])
}

/** Which routers are there. */
export function routerSolicitation(asker: Asker): Buffer {
  const body = Buffer.concat([Buffer.alloc(4), sourceOption(asker)])
  return icmpv6(asker, [multicastMac(ALL_ROUTERS), ALL_ROUTERS], ICMP.routers, body)
}

/** Who has an address. It is asked with an address of our own: without one it would be a claim, by which a guest that is just
 *  about to take the address would think that it is taken. */
export function neighbourSolicitation(asker: Asker, wanted: IpAddress): Buffer {
  const group = Buffer.concat([Buffer.from('ff0200000000000000000001ff', 'hex'), addressBytes(wanted).subarray(13)])
  const to = addressOfBytes(group)
  const body = Buffer.concat([Buffer.alloc(4), addressBytes(wanted), sourceOption(asker)])
  return icmpv6(asker, [multicastMac(to), to], ICMP.neighbour, body)
}

/** A ping of whatever address one device has: for all nodes by its address, for the one by its frame. @param id  16 bits */
export function everybodyPing(asker: Asker, mac: MacAddress, id: number): Buffer {
  return icmpv6(asker, [mac, ALL_NODES], ICMP.echo, Buffer.from([id >> 8, id & 0xff, 0, 1]))
}

/** The id of the ping that a packet answers. */
export function pingReplyOf({ next, payload }: Ipv6Packet): number | undefined {
  const isReply = next === NEXT.icmpv6 && payload.length >= 8 && payload.readUInt8(0) === ICMP.reply
  return isReply ? payload.readUInt16BE(4) : undefined
}

/** The address that its sender says it has. */
export function claimOf({ next, payload }: Ipv6Packet): IpAddress | undefined {
  const isClaim = next === NEXT.icmpv6 && payload.length >= 24 && payload.readUInt8(0) === ICMP.neighbourAdvert
  return isClaim ? addressOfBytes(payload.subarray(8, 24)) : undefined
}

/** What a router says of itself. */
export interface Advert {
  readonly mac: MacAddress
  readonly address: IpAddress
  /** It is a default router; otherwise it only tells of prefixes and routes. */
  readonly isDefault: boolean
  readonly prefixes: readonly Cidr[]
  readonly routes: readonly Cidr[]
}

const ADVERT = { lifetime: 6, options: 16 } as const

export function readAdvert({ next, payload, mac, source: address }: Ipv6Packet): Advert | undefined {
  if (next !== NEXT.icmpv6 || payload.length < ADVERT.options || payload.readUInt8(0) !== ICMP.advert) return undefined
  const found = options(payload.subarray(ADVERT.options))
  const ranges = (type: number, at: number) =>
    found.filter((option) => option[0] === type).flatMap((option) => rangeIn(option, at))
  const isDefault = payload.readUInt16BE(ADVERT.lifetime) > 0
  return { mac, address, isDefault, prefixes: ranges(OPTION.prefix, 16), routes: ranges(OPTION.route, 8) }
}

/** Each begins with its type, and its length in units of eight bytes. */
function options(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at + 8 <= bytes.length; ) {
    const size = (bytes[at + 1] ?? 0) * 8
    if (size === 0) break
    found.push(bytes.subarray(at, at + size))
    at += size
  }
  return found
}

/** The length of the prefix is its third byte; routes leave out bytes at the end that are zero. */
function rangeIn(option: Buffer, at: number): readonly Cidr[] {
  const prefix = option[2] ?? 0
  if (prefix > 128) return []
  const whole = Buffer.alloc(16)
  whole.set(option.subarray(at, at + 16))
  return [`${addressOfBytes(whole)}/${prefix}` as Cidr]
}
