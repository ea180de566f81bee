import { type IpAddress, ipVersion } from '../inventory/records/address.ts'
import type { IpCommand } from './iproute.ts'
import { hasIpv6 } from './ipv6.ts'
import type { Bridge, DefaultRoute, Device } from './namespace.ts'

/** The `ip` commands behind each change. */

/** Keeps the host itself off the tenant's network: without an address of its own it is nobody's neighbour there. */
function withoutAddress(device: string): readonly IpCommand[] {
  return hasIpv6() ? [['link', 'set', device, 'addrgenmode', 'none']] : []
}

/** Multicast snooping without a querier on the link would in time cut off IPv6 neighbour discovery. */
export function addBridge(bridge: Bridge, mark: string): readonly IpCommand[] {
  return [
    ['link', 'add', bridge.name, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0'],
    markBridge(bridge.name, mark),
    ...withoutAddress(bridge.name),
    ...setBridge(bridge),
  ]
}

export function markBridge(name: string, mark: string): IpCommand {
  return ['link', 'set', name, 'alias', mark]
}

/** Marks a namespace as well. To be run in it before it has another device: one with devices and without our mark is
 *  somebody else's. */
export function raiseLoopback(mark: string): IpCommand {
  return ['link', 'set', 'dev', 'lo', 'alias', mark, 'up']
}

/** Until its MTU is once changed, a bridge takes the smallest of its ports. */
export function setBridge({ name, mtu }: Bridge): readonly IpCommand[] {
  return [['link', 'set', name, 'mtu', `${mtu}`, 'up']]
}

export interface VethPair {
  readonly peer: string
  readonly bridge: string
  readonly netns: string
  readonly inner: string
  readonly mac: string
  readonly mtu: number
}

/** One end in a namespace and down, the other on a bridge and up. Run in the host's namespace. */
export function addVeth({ peer, bridge, netns, inner, mac, mtu }: VethPair): readonly IpCommand[] {
  const inside = ['peer', 'name', inner, 'address', mac, 'mtu', `${mtu}`, 'netns', netns]
  return [
    ['link', 'add', peer, 'mtu', `${mtu}`, 'type', 'veth', ...inside],
    ...withoutAddress(peer),
    ['link', 'set', peer, 'master', bridge, 'up'],
  ]
}

/** Both ends, each to be run in its namespace. */
export function setDevice({ name, peer, bridge, mtu }: Device): {
  readonly outside: readonly IpCommand[]
  readonly inside: readonly IpCommand[]
} {
  return {
    outside: [['link', 'set', peer, 'mtu', `${mtu}`, 'master', bridge, 'up']],
    inside: [['link', 'set', name, 'mtu', `${mtu}`, 'up']],
  }
}

/** An IPv6 address serves at once, without a search for duplicates: the metadata address is meant to be on several
 *  machines, and the others are the inventory's to give. */
export function addAddress(device: string, address: string): IpCommand {
  return isIpv6(address)
    ? ['address', 'replace', address, 'dev', device, 'nodad']
    : ['address', 'replace', address, 'broadcast', '+', 'dev', device]
}

export function deleteAddress(device: string, address: string): IpCommand {
  return ['address', 'delete', address, 'dev', device]
}

/** On-link, since a gateway may lie outside the subnet. */
export function setDefaultRoute({ gateway, device }: DefaultRoute): IpCommand {
  return ['route', 'replace', everywhere(gateway), 'via', gateway, 'dev', device, 'proto', 'static', 'onlink']
}

export function deleteDefaultRoute({ gateway, device }: DefaultRoute): IpCommand {
  return ['route', 'delete', everywhere(gateway), 'via', gateway, 'dev', device]
}

function everywhere(gateway: IpAddress): string {
  return ipVersion(gateway) === 4 ? '0.0.0.0/0' : '::/0'
}

function isIpv6(address: string): boolean {
  return address.includes(':')
}
