import { closeSync } from 'node:fs'
import { type Cidr, type IpAddress, type MacAddress, parseMacAddress } from '../inventory/records/address.ts'
import { errorCode } from './errors.ts'
import { attribute, attributes, dump, openNetlink, request } from './netlink.ts'
import { AF_INET6, addressBytes, addressOfBytes } from './socket-address.ts'

/** rtnetlink(7): the links, addresses and routes of a namespace. Offsets and numbers are those of
 *  linux/rtnetlink.h, linux/if_link.h and linux/if_addr.h. */

export interface Link {
  readonly index: number
  readonly name: string
  readonly mac: MacAddress | undefined
  readonly mtu: number
  readonly up: boolean
  /** `veth`, `bridge`, ...; empty for hardware. */
  readonly kind: string
  /** Index of the bridge it is a port of; 0: none. */
  readonly master: number
  /** What somebody has written on it (`ip link set ... alias`). */
  readonly alias: string
  /** Of a veth: index of the other end, in that one's namespace. */
  readonly peer: number
}

const RTM_GETLINK = 18
const IFINFO_BYTES = 16
const IFI_INDEX = 4
const IFI_FLAGS = 8
const IFF_UP = 0x1
const IFLA = { address: 1, name: 3, mtu: 4, link: 5, master: 10, info: 18, alias: 20, infoKind: 1 } as const

export function readLinks(fd: number): readonly Link[] {
  return dumpLinks(fd).map(linkOf)
}

/** struct ifinfomsg of zeros, and the attribute that leaves out counters, which are most of a link. */
const IFLA_EXT_MASK = 29
const RTEXT_FILTER_SKIP_STATS = 0x8
const ALL_LINKS = Buffer.concat([Buffer.alloc(IFINFO_BYTES), attribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)])

/** Each link as the kernel writes it. */
export function dumpLinks(fd: number): readonly Buffer[] {
  return dump(fd, RTM_GETLINK, ALL_LINKS)
}

/** One of them. @returns undefined when there is none of this index */
export function linkMessage(fd: number, index: number): Buffer | undefined {
  const wanted = Buffer.from(ALL_LINKS)
  wanted.writeInt32LE(index, IFI_INDEX)
  try {
    return request(fd, RTM_GETLINK, 0, wanted)
  } catch (error) {
    if (errorCode(error) === 'ENODEV') return undefined
    throw error
  }
}

export function linkIndex(message: Buffer): number {
  return message.readInt32LE(IFI_INDEX)
}

export function linkOf(message: Buffer): Link {
  const found = attributes(message.subarray(IFINFO_BYTES))
  const info = found.get(IFLA.info)
  return {
    index: linkIndex(message),
    name: text(found.get(IFLA.name)),
    mac: macOf(found.get(IFLA.address)),
    mtu: number(found.get(IFLA.mtu)),
    up: (message.readUInt32LE(IFI_FLAGS) & IFF_UP) !== 0,
    kind: info === undefined ? '' : text(attributes(info).get(IFLA.infoKind)),
    alias: text(found.get(IFLA.alias)),
    master: number(found.get(IFLA.master)),
    peer: number(found.get(IFLA.link)),
  }
}

/** 0 when there is no such device in the namespace of the calling thread. (if_nametoindex(3) would let the kernel look for a
 *  module of that name first, by a process.) */
export function deviceIndex(name: string): number {
  const fd = openNetlink()
  try {
    const wanted = Buffer.concat([Buffer.alloc(IFINFO_BYTES), attribute(IFLA.name, name)])
    const found = request(fd, RTM_GETLINK, 0, wanted)
    return found === undefined ? 0 : linkIndex(found)
  } catch (error) {
    if (errorCode(error) === 'ENODEV') return 0
    throw error
  } finally {
    closeSync(fd)
  }
}

export interface LinkAddress {
  /** Index of the link. */
  readonly link: number
  readonly address: IpAddress
  readonly prefix: number
}

const RTM_GETADDR = 22
const IFADDR_BYTES = 8
const IFA_PREFIX = 1
const IFA_FLAGS = 2
const IFA_INDEX = 4
const IFA = { address: 1, local: 2 } as const
const IFA_F_PERMANENT = 0x80
const IFA_F_DADFAILED = 0x08

/** Those that were configured and can be used: neither made of router advertisements nor refused as duplicates. */
export function readAddresses(fd: number): readonly LinkAddress[] {
  return dump(fd, RTM_GETADDR, new Uint8Array(IFADDR_BYTES)).flatMap((message) => {
    const found = attributes(message.subarray(IFADDR_BYTES))
    const bytes = found.get(IFA.local) ?? found.get(IFA.address)
    const flags = message.readUInt8(IFA_FLAGS)
    if (bytes === undefined || (flags & IFA_F_PERMANENT) === 0 || (flags & IFA_F_DADFAILED) !== 0) return []
    return [
      {
        link: message.readUInt32LE(IFA_INDEX),
        address: addressOfBytes(bytes),
        prefix: message.readUInt8(IFA_PREFIX),
      },
    ]
  })
}

/** Those that somebody else on the link has already. */
export function readRefusedAddresses(fd: number): readonly Pick<LinkAddress, 'link' | 'address'>[] {
  return dump(fd, RTM_GETADDR, new Uint8Array(IFADDR_BYTES)).flatMap((message) => {
    const bytes = attributes(message.subarray(IFADDR_BYTES)).get(IFA.address)
    const isRefused = (message.readUInt8(IFA_FLAGS) & IFA_F_DADFAILED) !== 0
    return isRefused && bytes !== undefined
      ? [{ link: message.readUInt32LE(IFA_INDEX), address: addressOfBytes(bytes) }]
      : []
  })
}

/** Who was heard on a link: of IPv4, or of a bridge. */
export interface Neighbour {
  readonly address: IpAddress
  readonly mac: MacAddress
  /** Index of the link. */
  readonly link: number
}

const RTM_GETNEIGH = 30
const NDMSG_BYTES = 12
const NDM_INDEX = 4
const NDM_STATE = 8
const NUD_FAILED_OR_INCOMPLETE = 0x21
const NDA = { destination: 1, mac: 2 } as const
const AF_INET = 2
const AF_BRIDGE = 7

/** The ARP table of the calling thread's namespace, without what was asked for in vain. */
export function readNeighbours(fd: number): readonly Neighbour[] {
  return neighboursOf(fd, AF_INET).flatMap(({ link, mac, destination }) =>
    destination === undefined ? [] : [{ link, mac, address: addressOfBytes(destination) }],
  )
}

/** On which port each bridge has heard a MAC address. */
export function readBridgeTable(fd: number): readonly Pick<Neighbour, 'link' | 'mac'>[] {
  return neighboursOf(fd, AF_BRIDGE)
}

/** With which MAC address an IPv6 address was heard on a link. Costs a look-up, however many were heard; since Linux 5.0. */
export function readNeighbour(fd: number, link: number, address: IpAddress): MacAddress | undefined {
  const wanted = neighbourRequest(AF_INET6)
  wanted.writeInt32LE(link, NDM_INDEX)
  const body = Buffer.concat([wanted, attribute(NDA.destination, addressBytes(address))])
  try {
    const found = request(fd, RTM_GETNEIGH, 0, body)
    return found === undefined ? undefined : neighbourOf(found)?.mac
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

function neighboursOf(fd: number, family: number) {
  return dump(fd, RTM_GETNEIGH, neighbourRequest(family)).flatMap((message) => neighbourOf(message) ?? [])
}

function neighbourRequest(family: number): Buffer {
  const wanted = Buffer.alloc(NDMSG_BYTES)
  wanted.writeUInt8(family, 0)
  return wanted
}

function neighbourOf(message: Buffer) {
  const found = attributes(message.subarray(NDMSG_BYTES))
  const mac = macOf(found.get(NDA.mac))
  if (mac === undefined || (message.readUInt16LE(NDM_STATE) & NUD_FAILED_OR_INCOMPLETE) !== 0) return undefined
  return { link: message.readInt32LE(NDM_INDEX), mac, destination: found.get(NDA.destination) }
}

export interface GatewayRoute {
  readonly destination: Cidr
  readonly link: number
  readonly gateway: IpAddress
}

const RTM_GETROUTE = 26
const RTMSG_BYTES = 12
const RTM_FAMILY = 0
const RTM_DESTINATION_LENGTH = 1
const RTM_TABLE = 4
const RTM_PROTOCOL = 5
const RTM_TYPE = 7
const RT_TABLE_MAIN = 254
const RTN_UNICAST = 1
/** What the kernel makes of redirects and of router advertisements: RTPROT_REDIRECT, _KERNEL and _RA of linux/rtnetlink.h. */
const MADE_BY_ITSELF: ReadonlySet<number> = new Set([1, 2, 9])
const RTA = { destination: 1, link: 4, gateway: 5 } as const

/** The routes of the main table that somebody gave a gateway, both families. */
export function readRoutes(fd: number): readonly GatewayRoute[] {
  return dump(fd, RTM_GETROUTE, new Uint8Array(RTMSG_BYTES)).flatMap((message) => {
    const isPlain = message.readUInt8(RTM_TABLE) === RT_TABLE_MAIN && message.readUInt8(RTM_TYPE) === RTN_UNICAST
    if (!isPlain || MADE_BY_ITSELF.has(message.readUInt8(RTM_PROTOCOL))) return []
    const found = attributes(message.subarray(RTMSG_BYTES))
    const gateway = found.get(RTA.gateway)
    if (gateway === undefined) return []
    const destination = found.get(RTA.destination)
    const everywhere = message.readUInt8(RTM_FAMILY) === AF_INET6 ? '::' : '0.0.0.0'
    const network = destination === undefined ? everywhere : addressOfBytes(destination)
    return [
      {
        destination: `${network}/${message.readUInt8(RTM_DESTINATION_LENGTH)}` as Cidr,
        link: number(found.get(RTA.link)),
        gateway: addressOfBytes(gateway),
      },
    ]
  })
}

function number(bytes: Buffer | undefined): number {
  return bytes === undefined ? 0 : bytes.readUInt32LE(0)
}

/** Ends with a zero byte. */
function text(bytes: Buffer | undefined): string {
  return bytes === undefined ? '' : bytes.toString('latin1', 0, bytes.length - 1)
}

function macOf(bytes: Buffer | undefined): MacAddress | undefined {
  return bytes === undefined ? undefined : parseMacAddress(bytes.toString('hex').replaceAll(/..(?=.)/g, '$&:'))
}
