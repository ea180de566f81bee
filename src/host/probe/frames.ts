import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import { addressBytes, addressOfBytes } from '../socket-address.ts'

/** Ethernet, ARP (RFC 826), IPv4 (RFC 791), UDP, ICMP and DHCP (RFC 2131) as bytes, as far as asking a guest goes. Pure. */

const ETHERNET = { destination: 0, source: 6, type: 12, size: 14 } as const
export const TYPE = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const
const BROADCAST = 'ff:ff:ff:ff:ff:ff' as MacAddress
const NOWHERE = '0.0.0.0' as IpAddress
const EVERYBODY = '255.255.255.255' as IpAddress

export function ethernet(source: MacAddress, destination: MacAddress, type: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(ETHERNET.size)
  head.set(macBytes(destination), ETHERNET.destination)
  head.set(macBytes(source), ETHERNET.source)
  head.writeUInt16BE(type, ETHERNET.type)
  return Buffer.concat([head, payload])
}

export function sourceOf(frame: Buffer): MacAddress {
  return macOf(frame, ETHERNET.source)
}

export function macBytes(mac: MacAddress): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex')
}

export function macOf(bytes: Buffer, at: number): MacAddress {
  return bytes.toString('hex', at, at + 6).replaceAll(/..(?=.)/g, '$&:') as MacAddress
}

const ARP = { operation: 6, senderMac: 8, senderAddress: 14, targetMac: 18, targetAddress: 24, size: 28 } as const
/** Ethernet, IPv4, addresses of 6 and 4 bytes. */
const ARP_HEAD = Buffer.from([0, 1, 8, 0, 6, 4])
const REQUEST = 1
const REPLY = 2

/** Who has an address, asked by one who has none yet (RFC 5227): nobody's table changes by it. */
export function arpProbe(source: MacAddress, wanted: IpAddress): Buffer {
  const body = Buffer.alloc(ARP.size)
  body.set(ARP_HEAD)
  body.writeUInt16BE(REQUEST, ARP.operation)
  body.set(macBytes(source), ARP.senderMac)
  body.set(addressBytes(wanted), ARP.targetAddress)
  return ethernet(source, BROADCAST, TYPE.arp, body)
}

export interface Arp {
  readonly isReply: boolean
  readonly mac: MacAddress
  readonly sender: IpAddress
  readonly target: IpAddress
}

export function readArp(frame: Buffer): Arp | undefined {
  const body = payloadOf(frame, TYPE.arp)
  if (body === undefined || body.length < ARP.size || !body.subarray(0, 6).equals(ARP_HEAD)) return undefined
  return {
    isReply: body.readUInt16BE(ARP.operation) === REPLY,
    mac: macOf(body, ARP.senderMac),
    sender: addressOfBytes(body.subarray(ARP.senderAddress, ARP.senderAddress + 4)),
    target: addressOfBytes(body.subarray(ARP.targetAddress, ARP.targetAddress + 4)),
  }
}

export function payloadOf(frame: Buffer, type: number): Buffer | undefined {
  const isOne = frame.length >= ETHERNET.size && frame.readUInt16BE(ETHERNET.type) === type
  return isOne ? frame.subarray(ETHERNET.size) : undefined
}

const IPV4 = { length: 2, ttl: 8, protocol: 9, checksum: 10, source: 12, destination: 16, size: 20 } as const
const PROTOCOL = { icmp: 1, udp: 17 } as const

export interface Ipv4Packet {
  readonly source: IpAddress
  readonly destination: IpAddress
  readonly protocol: number
  readonly to: MacAddress
  readonly payload: Buffer
}

function ipv4(protocol: number, source: IpAddress, destination: IpAddress, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(IPV4.size)
  head.writeUInt8(0x45, 0)
  head.writeUInt16BE(IPV4.size + payload.length, IPV4.length)
  head.writeUInt8(64, IPV4.ttl)
  head.writeUInt8(protocol, IPV4.protocol)
  head.set(addressBytes(source), IPV4.source)
  head.set(addressBytes(destination), IPV4.destination)
  head.writeUInt16BE(checksum(head), IPV4.checksum)
  return Buffer.concat([head, payload])
}

export function readIpv4(frame: Buffer): Ipv4Packet | undefined {
  const packet = payloadOf(frame, TYPE.ipv4)
  if (packet === undefined || packet.length < IPV4.size) return undefined
  return {
    source: addressOfBytes(packet.subarray(IPV4.source, IPV4.source + 4)),
    destination: addressOfBytes(packet.subarray(IPV4.destination, IPV4.destination + 4)),
    protocol: packet.readUInt8(IPV4.protocol),
    to: macOf(frame, ETHERNET.destination),
    payload: packet.subarray((packet.readUInt8(0) & 0xf) * 4),
  }
}

/** RFC 1071. */
export function checksum(bytes: Buffer): number {
  let sum = 0
  for (let at = 0; at + 1 < bytes.length; at += 2) sum += bytes.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

const ECHO = { request: 8, reply: 0, checksum: 2, id: 4, size: 8 } as const

export interface Ends {
  readonly source: IpAddress
  readonly destination: IpAddress
  readonly from: MacAddress
  readonly to: MacAddress
}

/** A ping. @param id  16 bits, to know the answer by */
export function echoRequest({ source, destination, from, to }: Ends, id: number): Buffer {
  const body = Buffer.alloc(ECHO.size)
  body.writeUInt8(ECHO.request, 0)
  body.writeUInt16BE(id, ECHO.id)
  body.writeUInt16BE(checksum(body), ECHO.checksum)
  return ethernet(from, to, TYPE.ipv4, ipv4(PROTOCOL.icmp, source, destination, body))
}

/** The id of the ping that a packet answers; undefined: it answers none. */
export function echoReplyOf({ protocol, payload }: Ipv4Packet): number | undefined {
  const isReply = protocol === PROTOCOL.icmp && payload.length >= ECHO.size && payload.readUInt8(0) === ECHO.reply
  return isReply ? payload.readUInt16BE(ECHO.id) : undefined
}

const DHCP_PORTS = { server: 67, client: 68 } as const
const BOOTP = { xid: 4, flags: 10, yours: 16, hardware: 28, cookie: 236, options: 240 } as const
const COOKIE = 0x6382_5363
const BROADCAST_FLAG = 0x8000
export const DHCP_OPTION = { router: 3, mtu: 26, message: 53, server: 54, wanted: 55, routes: 121, end: 255 } as const
const DISCOVER = 1
const OFFER = 2

/** What a guest says first, in its name but from `source`: offers are broadcast, and nothing is leased by it. */
export function dhcpDiscover(source: MacAddress, client: MacAddress, xid: number): Buffer {
  const { router, mtu, message, wanted, routes, end } = DHCP_OPTION
  const options = [message, 1, DISCOVER, wanted, 6, 1, router, 6, 15, mtu, routes, end]
  const body = Buffer.alloc(BOOTP.options + 64)
  body.set([1, 1, 6, 0])
  body.writeUInt32BE(xid, BOOTP.xid)
  body.writeUInt16BE(BROADCAST_FLAG, BOOTP.flags)
  body.set(macBytes(client), BOOTP.hardware)
  body.writeUInt32BE(COOKIE, BOOTP.cookie)
  body.set(options, BOOTP.options)
  const head = Buffer.alloc(8) // UDP: ports, length, no checksum
  head.writeUInt16BE(DHCP_PORTS.client, 0)
  head.writeUInt16BE(DHCP_PORTS.server, 2)
  head.writeUInt16BE(head.length + body.length, 4)
  const packet = ipv4(PROTOCOL.udp, NOWHERE, EVERYBODY, Buffer.concat([head, body]))
  return ethernet(source, BROADCAST, TYPE.ipv4, packet)
}

/** What a DHCP server offers. */
export interface Offer {
  readonly server: IpAddress
  readonly address: IpAddress
  readonly router: IpAddress | undefined
  readonly mtu: number | undefined
  /** Option 121: `169.254.169.254/32` by gateway. */
  readonly routes: ReadonlyMap<string, IpAddress>
}

/** @returns undefined for what is no offer in answer to `xid` */
export function readOffer(frame: Buffer, xid: number): Offer | undefined {
  const packet = readIpv4(frame)
  if (packet === undefined || packet.protocol !== PROTOCOL.udp || packet.payload.length < 8 + BOOTP.options)
    return undefined
  if (packet.payload.readUInt16BE(0) !== DHCP_PORTS.server) return undefined
  const body = packet.payload.subarray(8)
  if (body.readUInt32BE(BOOTP.xid) !== xid || body.readUInt32BE(BOOTP.cookie) !== COOKIE) return undefined
  const options = dhcpOptions(body.subarray(BOOTP.options))
  if (options.get(DHCP_OPTION.message)?.[0] !== OFFER) return undefined
  const server = addressIn(options.get(DHCP_OPTION.server))
  return {
    server: server ?? packet.source,
    address: addressOfBytes(body.subarray(BOOTP.yours, BOOTP.yours + 4)),
    router: addressIn(options.get(DHCP_OPTION.router)),
    mtu: numberIn(options.get(DHCP_OPTION.mtu)),
    routes: classlessRoutes(options.get(DHCP_OPTION.routes) ?? Buffer.alloc(0)),
  }
}

function numberIn(bytes: Buffer | undefined): number | undefined {
  return bytes === undefined || bytes.length < 2 ? undefined : bytes.readUInt16BE(0)
}

function addressIn(bytes: Buffer | undefined): IpAddress | undefined {
  return bytes === undefined || bytes.length < 4 ? undefined : addressOfBytes(bytes.subarray(0, 4))
}

function dhcpOptions(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = 0; at < bytes.length && bytes[at] !== DHCP_OPTION.end; ) {
    if (bytes[at] === 0) {
      at += 1
      continue
    }
    const length = bytes[at + 1] ?? 0
    found.set(bytes[at] ?? 0, bytes.subarray(at + 2, at + 2 + length))
    at += 2 + length
  }
  return found
}

/** RFC 3442: prefix length, the octets that matter, gateway. */
function classlessRoutes(bytes: Buffer): ReadonlyMap<string, IpAddress> {
  const found = new Map<string, IpAddress>()
  for (let at = 0; at < bytes.length; ) {
    const prefix = bytes[at] ?? 0
    const octets = Math.ceil(prefix / 8)
    if (prefix > 32 || at + 1 + octets + 4 > bytes.length) break
    const network = Buffer.alloc(4)
    bytes.copy(network, 0, at + 1, at + 1 + octets)
    const gateway = bytes.subarray(at + 1 + octets, at + 5 + octets)
    found.set(`${addressOfBytes(network)}/${prefix}`, addressOfBytes(gateway))
    at += 5 + octets
  }
  return found
}
