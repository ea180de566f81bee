import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import { addressBytes, addressOfBytes } from '../socket-address.ts'
import { macBytes } from './frames.ts'
import { type Asker, type Ipv6Packet, ipv6, multicastMac, NEXT } from './ipv6-frames.ts'

/** DHCPv6 (RFC 8415) as bytes, as far as asking in a guest's name goes. Pure. */

const SERVERS = 'ff02::1:2' as IpAddress
/** Of servers and relays. */
const PORT = 547
const MESSAGE = { solicit: 1, advertise: 2, forward: 12, reply: 13 } as const
const OPTION = { client: 1, addresses: 3, address: 5, wanted: 6, elapsed: 8, relayed: 9, clientMac: 79 } as const
const DNS_SERVERS = 23
/** Behind type, hops, link and peer. */
const RELAY_OPTIONS = 34
/** Behind identity and two times. */
const ADDRESS_OPTIONS = 12
const UDP = 8
const UDP_CHECKSUM = 6

/** In whose name it is asked. */
export interface Lessee {
  readonly mac: MacAddress
  readonly linkLocal: IpAddress
  /** An address of its subnet, by which a server knows from which range it is to offer. */
  readonly link: IpAddress
  /** undefined: it has no lease. */
  readonly identity: Identity | undefined
}

/** By what a server knows to whom an address is leased: another one is not offered it. */
export interface Identity {
  readonly duid: Buffer
  readonly iaid: number
}

/** What a DHCPv6 server offers. */
export interface Offer6 {
  readonly server: IpAddress
  readonly mac: MacAddress
  /** undefined: none for this guest. */
  readonly address: IpAddress | undefined
}

/**
 * What a guest says first, as a relay hands it on: so the answer comes to us, and the server knows the guest's MAC from the
 * relay (RFC 6939). Nothing is leased by it.
 * @param xid  24 bits
 */
export function relayedSolicit(asker: Asker, { mac, linkLocal, link, identity }: Lessee, xid: number): Buffer {
  const ethernet = Buffer.concat([Buffer.from([0, 1]), macBytes(mac)])
  const { duid, iaid } = identity ?? { duid: Buffer.concat([Buffer.from([0, 3]), ethernet]), iaid: 1 }
  const association = Buffer.alloc(ADDRESS_OPTIONS)
  association.writeUInt32BE(iaid, 0)
  const solicit = Buffer.concat([
    Buffer.from([MESSAGE.solicit, xid >> 16, (xid >> 8) & 0xff, xid & 0xff]),
    option(OPTION.client, duid),
    option(OPTION.addresses, association),
    option(OPTION.elapsed, Buffer.alloc(2)),
    option(OPTION.wanted, Buffer.from([0, DNS_SERVERS])),
  ])
  const message = Buffer.concat([
    Buffer.from([MESSAGE.forward, 0]),
    addressBytes(link),
    addressBytes(linkLocal),
    option(OPTION.relayed, solicit),
    option(OPTION.clientMac, ethernet),
  ])
  const head = Buffer.alloc(UDP)
  head.writeUInt16BE(PORT, 0)
  head.writeUInt16BE(PORT, 2)
  head.writeUInt16BE(UDP + message.length, 4)
  return ipv6(asker, [multicastMac(SERVERS), SERVERS], NEXT.udp, Buffer.concat([head, message]), UDP_CHECKSUM)
}

function option(code: number, value: Uint8Array): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt16BE(code, 0)
  head.writeUInt16BE(value.length, 2)
  return Buffer.concat([head, value])
}

/** @returns undefined for what is no offer in answer to `xid` */
export function readOffer6({ next, payload, source: server, mac }: Ipv6Packet, xid: number): Offer6 | undefined {
  if (next !== NEXT.udp || payload.length < UDP + RELAY_OPTIONS || payload.readUInt16BE(0) !== PORT) return undefined
  const reply = payload.subarray(UDP)
  if (reply[0] !== MESSAGE.reply) return undefined
  const offer = options(reply.subarray(RELAY_OPTIONS)).get(OPTION.relayed)
  if (offer === undefined || offer.length < 4 || offer[0] !== MESSAGE.advertise) return undefined
  if (offer.readUIntBE(1, 3) !== xid) return undefined
  const association = options(offer.subarray(4)).get(OPTION.addresses) ?? Buffer.alloc(0)
  const address = options(association.subarray(ADDRESS_OPTIONS)).get(OPTION.address)
  const isOne = address !== undefined && address.length >= 16
  return { server, mac, address: isOne ? addressOfBytes(address.subarray(0, 16)) : undefined }
}

/** The first of each. */
function options(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = 0; at + 4 <= bytes.length; ) {
    const [code, size] = [bytes.readUInt16BE(at), bytes.readUInt16BE(at + 2)]
    if (!found.has(code)) found.set(code, bytes.subarray(at + 4, at + 4 + size))
    at += 4 + size
  }
  return found
}
