import { fromNumber, type IpAddress, ipVersion, toNumber } from '../inventory/records/address.ts'

/** struct sockaddr_in, sockaddr_in6 and sockaddr_un (ip(7), ipv6(7), unix(7)) as bytes. Families and scope ids are in the order of the machine,
 *  which is little-endian on every platform koffi has binaries for; ports and addresses in that of the network. */

export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10

/** Both kinds, in bytes. */
const SIZE = { [AF_INET]: 16, [AF_INET6]: 28 } as const
export const LARGEST_ADDRESS = SIZE[AF_INET6]

const FAMILY = 0 // 2 bytes
const PORT = 2 // 2 bytes
const IPV4_ADDRESS = 4 // 4 bytes
const IPV6_ADDRESS = 8 // 16 bytes, behind the flow label
const IPV6_SCOPE = 24 // 4 bytes: index of the device

export function familyOf(address: IpAddress): typeof AF_INET | typeof AF_INET6 {
  return ipVersion(address) === 4 ? AF_INET : AF_INET6
}

/** @param scope  index of the device a link-local address belongs to, else 0 */
export function encodeSocketAddress(address: IpAddress, port: number, scope: number): Uint8Array {
  const family = familyOf(address)
  const bytes = Buffer.alloc(SIZE[family])
  bytes.writeUInt16LE(family, FAMILY)
  bytes.writeUInt16BE(port, PORT)
  if (family === AF_INET) {
    bytes.set(addressBytes(address), IPV4_ADDRESS)
  } else {
    bytes.set(addressBytes(address), IPV6_ADDRESS)
    bytes.writeUInt32LE(scope, IPV6_SCOPE)
  }
  return bytes
}

/** Of sockaddr_in and sockaddr_in6. */
export function decodePort(bytes: Buffer): number {
  return bytes.readUInt16BE(PORT)
}

const UNIX_PATH = 2 // 108 bytes, the zero behind it among them
const UNIX_PATH_BYTES = 107

/** @param path  of a socket in the file system, or `@name` of an abstract one @throws Error when it is too long */
export function encodeUnixAddress(path: string): Uint8Array {
  const isAbstract = path.startsWith('@')
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`)
  if (name.length - (isAbstract ? 0 : 1) > UNIX_PATH_BYTES)
    throw new Error(`${path} is too long for a socket: ${UNIX_PATH_BYTES} bytes are the most`)
  const bytes = Buffer.alloc(UNIX_PATH + name.length)
  bytes.writeUInt16LE(AF_UNIX, FAMILY)
  bytes.set(name, UNIX_PATH)
  return bytes
}

/** @returns undefined when the family is neither IPv4 nor IPv6 */
export function decodeSocketAddress(bytes: Buffer): IpAddress | undefined {
  const family = bytes.readUInt16LE(FAMILY)
  if (family === AF_INET) return addressOfBytes(bytes.subarray(IPV4_ADDRESS, IPV4_ADDRESS + 4))
  if (family === AF_INET6) return addressOfBytes(bytes.subarray(IPV6_ADDRESS, IPV6_ADDRESS + 16))
  return undefined
}

/** @param bytes  4 or 16, in network order */
export function addressOfBytes(bytes: Buffer): IpAddress {
  return fromNumber(BigInt(`0x${bytes.toString('hex')}`), bytes.length === 4 ? 4 : 6)
}

/** 4 or 16, in network order. */
export function addressBytes(address: IpAddress): Buffer {
  const digits = ipVersion(address) === 4 ? 8 : 32
  return Buffer.from(toNumber(address).toString(16).padStart(digits, '0'), 'hex')
}
