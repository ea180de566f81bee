import ipaddr from 'ipaddr.js'

declare const brand: unique symbol
/** An IPv4 or IPv6 address in canonical text (RFC 5952 for IPv6), so that equal addresses are equal strings. */
export type IpAddress = string & { readonly [brand]: 'address' }
/** A MAC address, lower case and colon separated. */
export type MacAddress = string & { readonly [brand]: 'mac' }
/** `address/prefix` with host bits cleared, canonical text. */
export type Cidr = string & { readonly [brand]: 'cidr' }
export type IpVersion = 4 | 6

/** Four decimal numbers without leading zeros: canonical as it stands. */
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

/** The canonical form of an address, or undefined when the text is none. A zone (`%eth0`) is not part of an address. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (IPV4.test(text)) return text as IpAddress
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined
  return ipaddr.IPv6.parse(text).toRFC5952String() as IpAddress
}

/** IPv4-mapped IPv6 (`::ffff:a.b.c.d`), which a socket bound to `::` shows for IPv4 peers, as the IPv4 address it means. */
export function unmapped(address: IpAddress): IpAddress {
  if (!address.startsWith('::ffff:')) return address
  const parsed = ipaddr.parse(address)
  return parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress()
    ? (parsed.toIPv4Address().toString() as IpAddress)
    : address
}

export function ipVersion(address: IpAddress | Cidr): IpVersion {
  return address.includes(':') ? 6 : 4
}

export function isLinkLocal(address: IpAddress): boolean {
  return ipVersion(address) === 4 ? address.startsWith('169.254.') : ipaddr.parse(address).range() === 'linkLocal'
}

/** Six octets separated by colons or hyphens. */
export function parseMacAddress(text: string): MacAddress | undefined {
  const canonical = text.toLowerCase().replaceAll('-', ':')
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(canonical) ? (canonical as MacAddress) : undefined
}

/** Host bits are cleared, as Neutron does: `10.0.0.7/24` is the subnet `10.0.0.0/24`. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  const address = parseIpAddress(text.slice(0, slash))
  const prefix = text.slice(slash + 1)
  if (slash < 0 || address === undefined || !/^(0|[1-9]\d{0,2})$/.test(prefix)) return undefined
  const bits = Number(prefix)
  const width = bitWidth(ipVersion(address))
  if (bits > width) return undefined
  const host = BigInt(width - bits)
  return `${fromNumber((toNumber(address) >> host) << host, ipVersion(address))}/${bits}` as Cidr
}

export function prefixLength(cidr: Cidr): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1))
}

/** The address part of a CIDR: the network address. */
export function networkAddress(cidr: Cidr): IpAddress {
  return cidr.slice(0, cidr.indexOf('/')) as IpAddress
}

/** The last address of the range: the broadcast address in IPv4. */
export function lastAddress(cidr: Cidr): IpAddress {
  const version = ipVersion(cidr)
  const hosts = 1n << BigInt(bitWidth(version) - prefixLength(cidr))
  return fromNumber(toNumber(networkAddress(cidr)) + hosts - 1n, version)
}

/** The mask in address form: `255.255.255.0`, `ffff:ffff:ffff:ffff::`. */
export function netmask(cidr: Cidr): IpAddress {
  const version = ipVersion(cidr)
  const width = bitWidth(version)
  const host = BigInt(width - prefixLength(cidr))
  return fromNumber(((1n << BigInt(width)) - 1n) & ~((1n << host) - 1n), version)
}

export function contains(cidr: Cidr, address: IpAddress): boolean {
  if (ipVersion(cidr) !== ipVersion(address)) return false
  const host = BigInt(bitWidth(ipVersion(cidr)) - prefixLength(cidr))
  return toNumber(address) >> host === toNumber(networkAddress(cidr)) >> host
}

export function overlap(a: Cidr, b: Cidr): boolean {
  return contains(a, networkAddress(b)) || contains(b, networkAddress(a))
}

/** Addresses as integers, for ranges and ordering. */
export function toNumber(address: IpAddress): bigint {
  return ipaddr
    .parse(address)
    .toByteArray()
    .reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)
}

export function fromNumber(number: bigint, version: IpVersion): IpAddress {
  const bytes = Array.from({ length: bitWidth(version) / 8 }, (_, i, width = bitWidth(version) / 8) =>
    Number((number >> BigInt(8 * (width - 1 - i))) & 0xffn),
  )
  const parsed = ipaddr.fromByteArray(bytes)
  return (parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString()) as IpAddress
}

/** The interface identifier an IPv6 guest makes of its MAC by RFC 4291 (EUI-64), under a /64 prefix. */
export function eui64Address(prefix: Cidr, mac: MacAddress): IpAddress {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map((octet) => Number.parseInt(octet, 16))
  const identifier = [a ^ 0x02, b, c, 0xff, 0xfe, d, e, f].reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)
  return fromNumber(toNumber(networkAddress(prefix)) | identifier, 6)
}

/** The MAC an EUI-64 address was made of, or undefined when the address is not of that form. */
export function macOfEui64(address: IpAddress): MacAddress | undefined {
  const bytes = ipaddr.parse(address).toByteArray().slice(8)
  if (bytes.length !== 8 || bytes[3] !== 0xff || bytes[4] !== 0xfe) return undefined
  const octets = [(bytes[0] ?? 0) ^ 0x02, bytes[1], bytes[2], bytes[5], bytes[6], bytes[7]]
  return octets.map((octet) => (octet ?? 0).toString(16).padStart(2, '0')).join(':') as MacAddress
}

function bitWidth(version: IpVersion): number {
  return version === 4 ? 32 : 128
}
