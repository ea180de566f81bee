import { closeSync } from 'node:fs'
import { bind, checked, recv, send, socket } from '../../src/host/libc.ts'
import { inNamespace, netnsPath } from '../../src/host/netns.ts'
import { deviceIndex } from '../../src/host/rtnetlink.ts'
import { type IpAddress, ipVersion, type MacAddress, toNumber } from '../../src/inventory/records/address.ts'

/** Frames as bytes, sent and heard below all that a kernel would do to them: what a hostile guest can send. */

const AF_PACKET = 17
const SOCK_RAW_NONBLOCK_CLOEXEC = 0o2_004_003
const ETH_P_ALL = 3

/** Everything that a device in a namespace sends and hears. */
export class Wire {
  readonly #fd: number

  constructor(netns: string, device = 'eth0') {
    this.#fd = inNamespace<number>(netnsPath(netns), () => {
      const fd = checked(socket(AF_PACKET, SOCK_RAW_NONBLOCK_CLOEXEC, swapped(ETH_P_ALL)), 'opening a packet socket')
      const address = Buffer.alloc(20) // struct sockaddr_ll
      address.writeUInt16LE(AF_PACKET, 0)
      address.writeUInt16BE(ETH_P_ALL, 2)
      address.writeInt32LE(deviceIndex(device), 4)
      checked(bind(fd, address, address.length), `binding to ${device}`)
      return fd
    })
  }

  send(frame: Uint8Array): void {
    checked(send(this.#fd, frame, frame.length, 0), 'sending a frame')
  }

  /** What has come since the last call, without the tags that the kernel takes off. */
  heard(): readonly Buffer[] {
    const frames: Buffer[] = []
    for (;;) {
      const bytes = Buffer.alloc(2_048)
      const size = recv(this.#fd, bytes, bytes.length, 0)
      if (size === -1) return frames
      frames.push(bytes.subarray(0, size))
    }
  }

  close(): void {
    closeSync(this.#fd)
  }
}

function swapped(number: number): number {
  return ((number & 0xff) << 8) | (number >> 8)
}

export const BROADCAST = 'ff:ff:ff:ff:ff:ff' as MacAddress

export function ethernet(source: MacAddress, type: number, payload: Uint8Array, to = BROADCAST): Buffer {
  return Buffer.concat([macBytes(to), macBytes(source), uint16(type), payload])
}

/** RFC 826. */
export function arp(
  source: MacAddress,
  sender: { readonly mac: MacAddress; readonly ip: IpAddress },
  target: IpAddress,
  operation: 'request' | 'reply' = 'request',
): Buffer {
  const head = Buffer.from([0, 1, 8, 0, 6, 4, 0, operation === 'request' ? 1 : 2])
  const body = Buffer.concat([head, macBytes(sender.mac), ipBytes(sender.ip), macBytes(BROADCAST), ipBytes(target)])
  return ethernet(source, 0x0806, body)
}

export function udp(source: MacAddress, from: IpAddress, to: IpAddress, ports: readonly [number, number]): Buffer {
  const datagram = Buffer.concat([uint16(ports[0]), uint16(ports[1]), uint16(12), uint16(0), Buffer.from('hail')])
  return ip(source, from, to, 17, datagram)
}

/** @param options  a header before it, of 8 bytes: hop-by-hop options that say nothing */
export function icmpv6(
  source: MacAddress,
  from: IpAddress,
  type: number,
  { target, hasOptions = false }: { readonly target?: IpAddress; readonly hasOptions?: boolean } = {},
): Buffer {
  const message = Buffer.concat([
    Buffer.from([type, 0, 0, 0, 0, 0, 0, 0]),
    target === undefined ? Buffer.alloc(16) : ipBytes(target),
  ])
  const to = 'ff02::1' as IpAddress
  if (!hasOptions) return ip(source, from, to, 58, message)
  return ip(source, from, to, 0, Buffer.concat([Buffer.from([58, 0, 1, 4, 0, 0, 0, 0]), message]))
}

/** Without checksums, which no bridge looks at. */
function ip(source: MacAddress, from: IpAddress, to: IpAddress, protocol: number, payload: Buffer): Buffer {
  if (ipVersion(from) === 6) {
    const head = Buffer.concat([Buffer.from([0x60, 0, 0, 0]), uint16(payload.length), Buffer.from([protocol, 255])])
    return ethernet(source, 0x86dd, Buffer.concat([head, ipBytes(from), ipBytes(to), payload]))
  }
  const head = Buffer.alloc(12)
  head[0] = 0x45
  head.writeUInt16BE(20 + payload.length, 2)
  head[8] = 64
  head[9] = protocol
  const header = Buffer.concat([head, ipBytes(from), ipBytes(to)])
  header.writeUInt16BE(checksum(header), 10)
  return ethernet(source, 0x0800, Buffer.concat([header, payload]))
}

/** RFC 1071. */
function checksum(bytes: Buffer): number {
  let sum = 0
  for (let at = 0; at < bytes.length; at += 2) sum += bytes.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16)
  return ~sum & 0xffff
}

/** The frame with a tag of IEEE 802.1Q (or 802.1ad). */
export function tagged(frame: Buffer, vlan: number, type = 0x8100): Buffer {
  return Buffer.concat([frame.subarray(0, 12), uint16(type), uint16(vlan), frame.subarray(12)])
}

function macBytes(mac: MacAddress): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex')
}

function ipBytes(address: IpAddress): Buffer {
  return Buffer.from(
    toNumber(address)
      .toString(16)
      .padStart(ipVersion(address) === 4 ? 8 : 32, '0'),
    'hex',
  )
}

function uint16(number: number): Buffer {
  return Buffer.from([number >> 8, number & 0xff])
}
