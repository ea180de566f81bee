import { closeSync, openSync } from 'node:fs'
import {
  type Cidr,
  type IpAddress,
  ipVersion,
  lastAddress,
  type MacAddress,
  networkAddress,
  parseCidr,
  prefixLength,
} from '../inventory/records/address.ts'
import { errorCode } from './errors.ts'
import { hasIpv6 } from './ipv6.ts'
import type { Bridge, Device, Route } from './namespace.ts'
import { attribute, CREATE, EXCLUSIVE, openNetlink, REPLACE, request } from './netlink.ts'
import { netnsPath } from './netns.ts'
import { deviceIndex } from './rtnetlink.ts'
import { AF_INET6, addressBytes, familyOf } from './socket-address.ts'

/**
 * Changes of links, addresses and routes in the namespace of the calling thread, by rtnetlink(7) and not by `ip`: a program
 * costs more than all that one namespace needs, and holds up everything else while it is forked. Deletions of links stay
 * with `ip`: the kernel lets whoever deletes wait until nobody can be using them, and a child waits for us.
 */

const RTM = { newLink: 16, newAddress: 20, deleteAddress: 21, newRoute: 24, deleteRoute: 25 } as const
const IFLA = { address: 1, name: 3, mtu: 4, master: 10, info: 18, alias: 20, afSpec: 26, netnsFd: 28 } as const
const IFLA_INFO = { kind: 1, data: 2 } as const
const IFLA_BR = { forwardDelay: 1, multicastSnooping: 23, options: 46 } as const
const VETH_INFO_PEER = 1
const IFF_UP = 0x1

type Attributes = readonly Buffer[]

/** struct ifinfomsg: flags at 8, which of them are meant at 12. @param flags  to be switched on */
function linkBody(flags: number, attributes: Attributes): Buffer {
  const head = Buffer.alloc(16)
  head.writeUInt32LE(flags, 8)
  head.writeUInt32LE(flags, 12)
  return Buffer.concat([head, ...attributes])
}

function change(attempt: string, type: number, flags: number, body: Uint8Array): void {
  const fd = openNetlink()
  try {
    request(fd, type, flags, body)
  } catch (cause) {
    const message = `${attempt}: ${cause instanceof Error ? cause.message : String(cause)}`
    throw Object.assign(new Error(message, { cause }), { code: errorCode(cause) })
  } finally {
    closeSync(fd)
  }
}

function info(kind: string, data: Attributes): Buffer {
  return attribute(
    IFLA.info,
    Buffer.concat([attribute(IFLA_INFO.kind, kind), attribute(IFLA_INFO.data, Buffer.concat(data))]),
  )
}

function addLink(name: string, attributes: Attributes): void {
  change(`adding ${name}`, RTM.newLink, CREATE | EXCLUSIVE, linkBody(0, [attribute(IFLA.name, name), ...attributes]))
}

function setLink(name: string, flags: number, attributes: Attributes): void {
  change(`changing ${name}`, RTM.newLink, 0, linkBody(flags, [attribute(IFLA.name, name), ...attributes]))
}

const IFLA_INET6_ADDR_GEN_MODE = 8
const IN6_ADDR_GEN_MODE_NONE = Uint8Array.of(1)

/** Keeps the host itself off the tenant's network: without an address of its own it is nobody's neighbour there. */
function keepWithoutAddress(name: string): void {
  if (!hasIpv6()) return
  const mode = attribute(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE)
  setLink(name, 0, [attribute(IFLA.afSpec, attribute(AF_INET6, mode))])
}

/** struct br_boolopt_multi, values then mask: BR_BOOLOPT_NO_LL_LEARN (0) on. Kernels before 5.0 take no notice. */
const NO_LINK_LOCAL_LEARNING = new Uint8Array(Uint32Array.of(1, 1).buffer)

/**
 * Multicast snooping without a querier on the link would in time cut off IPv6 neighbour discovery. Frames to
 * 01:80:c2:00:00:0x (LLDP) meet no rule of the packet filter: a bridge that learned from them would let a guest draw the
 * packets for a neighbour's MAC address to itself.
 */
export function addBridge(bridge: Bridge, mark: string): void {
  const data = [
    attribute(IFLA_BR.forwardDelay, 0),
    attribute(IFLA_BR.multicastSnooping, Uint8Array.of(0)),
    attribute(IFLA_BR.options, NO_LINK_LOCAL_LEARNING),
  ]
  addLink(bridge.name, [info('bridge', data)])
  markLink(bridge.name, mark)
  keepWithoutAddress(bridge.name)
  setBridge(bridge)
}

export function markLink(name: string, mark: string): void {
  setLink(name, 0, [attribute(IFLA.alias, mark)])
}

/** Marks a namespace as well. To be run in it before it has another device: one with devices and without our mark is
 *  somebody else's. */
export function raiseLoopback(mark: string): void {
  setLink('lo', IFF_UP, [attribute(IFLA.alias, mark)])
}

/** Until its MTU is once changed, a bridge takes the smallest of its ports. */
export function setBridge({ name, mtu }: Bridge): void {
  setLink(name, IFF_UP, [attribute(IFLA.mtu, mtu)])
}

export interface VethPair {
  readonly peer: string
  /** null: the peer is left to be plugged in by somebody else. */
  readonly bridge: string | null
  /** A name of /run/netns, or an absolute path. */
  readonly netns: string
  readonly inner: string
  readonly mac: MacAddress
  readonly mtu: number
}

/** One end in a namespace and down, the other up and on a bridge. Run in the host's namespace. */
export function addVeth({ peer, bridge, netns, inner, mac, mtu }: VethPair): void {
  const there = openSync(netns.startsWith('/') ? netns : netnsPath(netns), 'r')
  try {
    const inside = [
      attribute(IFLA.name, inner),
      attribute(IFLA.address, macBytes(mac)),
      attribute(IFLA.mtu, mtu),
      attribute(IFLA.netnsFd, there),
    ]
    addLink(peer, [attribute(IFLA.mtu, mtu), info('veth', [attribute(VETH_INFO_PEER, linkBody(0, inside))])])
  } finally {
    closeSync(there)
  }
  keepWithoutAddress(peer)
  setLink(peer, IFF_UP, masterOf(bridge))
}

/** The end outside. */
export function setOutside({ peer, bridge, mtu }: Pick<VethPair, 'peer' | 'bridge' | 'mtu'>): void {
  setLink(peer, IFF_UP, [attribute(IFLA.mtu, mtu), ...masterOf(bridge)])
}

function masterOf(bridge: string | null): Attributes {
  return bridge === null ? [] : [attribute(IFLA.master, bridgeIndex(bridge))]
}

/** The end inside, from there. Given its own MAC again, it tells the neighbours all its addresses, where `arp_notify` and
 *  `ndisc_notify` are set: one that had sent to another MAC would go on doing so for seconds. */
export function setInside({ name, mac, mtu }: Pick<Device, 'name' | 'mac' | 'mtu'>): void {
  setLink(name, IFF_UP, [attribute(IFLA.mtu, mtu)])
  setLink(name, 0, [attribute(IFLA.address, macBytes(mac))])
}

function macBytes(mac: MacAddress): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex')
}

function bridgeIndex(name: string): number {
  const index = deviceIndex(name)
  if (index === 0) throw new Error(`there is no bridge ${name}`)
  return index
}

const IFA = { address: 1, local: 2, broadcast: 4 } as const
const IFA_F_NODAD = 0x02

/** An IPv6 address serves at once, without a search for duplicates: the metadata address is meant to be on several
 *  machines, and the others are the inventory's to give. */
export function addAddress(device: string, address: string): void {
  const broadcast = broadcastOf(address as Cidr)
  const more = broadcast === undefined ? [] : [attribute(IFA.broadcast, addressBytes(broadcast))]
  const body = addressBody(device, address as Cidr, IFA_F_NODAD, more)
  change(`adding ${address} to ${device}`, RTM.newAddress, CREATE | REPLACE, body)
}

export function deleteAddress(device: string, address: string): void {
  change(`deleting ${address} from ${device}`, RTM.deleteAddress, 0, addressBody(device, address as Cidr, 0, []))
}

/** struct ifaddrmsg: family, prefix, flags, scope, index. */
function addressBody(device: string, cidr: Cidr, flags: number, more: Attributes): Buffer {
  const address = addressOf(cidr)
  const head = Buffer.alloc(8)
  head.writeUInt8(familyOf(address), 0)
  head.writeUInt8(prefixLength(cidr), 1)
  head.writeUInt8(ipVersion(address) === 6 ? flags : 0, 2)
  head.writeUInt32LE(presentIndex(device), 4)
  const bytes = addressBytes(address)
  return Buffer.concat([head, attribute(IFA.local, bytes), attribute(IFA.address, bytes), ...more])
}

/** None where a network has no room for one. */
function broadcastOf(cidr: Cidr): IpAddress | undefined {
  const network = parseCidr(cidr) // without the host bits of the address
  return network !== undefined && ipVersion(network) === 4 && prefixLength(network) < 31
    ? lastAddress(network)
    : undefined
}

function addressOf(cidr: Cidr): IpAddress {
  return cidr.slice(0, cidr.indexOf('/')) as IpAddress
}

const RTA = { destination: 1, link: 4, gateway: 5 } as const
const RT_TABLE_MAIN = 254
const RTPROT_STATIC = 4
const RT_SCOPE_NOWHERE = 255
const RTN_UNICAST = 1
const RTNH_F_ONLINK = 4

/** On-link, since a gateway may lie outside the subnet. */
export function setRoute(route: Route): void {
  const body = routeBody(route, { protocol: RTPROT_STATIC, scope: 0, type: RTN_UNICAST, flags: RTNH_F_ONLINK })
  change(`setting the route to ${route.destination}`, RTM.newRoute, CREATE | REPLACE, body)
}

export function deleteRoute(route: Route): void {
  const body = routeBody(route, { protocol: 0, scope: RT_SCOPE_NOWHERE, type: 0, flags: 0 })
  change(`deleting the route to ${route.destination}`, RTM.deleteRoute, 0, body)
}

interface RouteHead {
  readonly protocol: number
  readonly scope: number
  readonly type: number
  readonly flags: number
}

/** struct rtmsg: family, two lengths, type of service, table, protocol, scope, type, flags. */
function routeBody({ destination, gateway, device }: Route, { protocol, scope, type, flags }: RouteHead): Buffer {
  const length = prefixLength(destination)
  const head = Buffer.alloc(12)
  head.set([familyOf(gateway), length, 0, 0, RT_TABLE_MAIN, protocol, scope, type])
  head.writeUInt32LE(flags, 8)
  const towards = length === 0 ? [] : [attribute(RTA.destination, addressBytes(networkAddress(destination)))]
  const by = [attribute(RTA.gateway, addressBytes(gateway)), attribute(RTA.link, presentIndex(device))]
  return Buffer.concat([head, ...towards, ...by])
}

/** @throws Error when there is no such device */
function presentIndex(device: string): number {
  const index = deviceIndex(device)
  if (index === 0) throw Object.assign(new Error(`there is no device ${device}`), { code: 'ENODEV' })
  return index
}
