import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { NetworkId, PortId } from '../../records/ids.ts'
import { DHCP_PORT } from '../../records/port.ts'
import type { Path } from '../problem.ts'
import type { Contents } from './contents.ts'
import { ownerOf } from './owned-nouns.ts'
import { type Planning, soundItems } from './planning.ts'
import { madePort, type PortFields, portRequest } from './ports.ts'
import type { AddressRequest } from './settle.ts'

/** RFC 9562, section 6.6: the namespace of names that are DNS names. */
const DNS_NAMESPACE = '6ba7b8109dad11d180b400c04fd430c8'

/** `dhcp<uuid5 of the host's name>-<network>`: the device id by which a DHCP agent knows its port.
 *  @param host  cut at its first dot */
export function dhcpDeviceId(host: string, network: NetworkId): string {
  const name = host.split('.')[0] ?? host
  const hash = createHash('sha1').update(Buffer.from(DNS_NAMESPACE, 'hex')).update(name).digest()
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80
  const hex = hash.toString('hex')
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
  return `dhcp${uuid}-${network}`
}

/**
 * A port `network:dhcp` on each network of the file that has a subnet with DHCP, with an address in each of those. One
 * that exists stays with its agent; a network of the file that has no such subnet any more loses its ports.
 */
export function dhcpPortRequests(contents: Contents, host: string, planning: Planning): AddressRequest[] {
  const existing = Map.groupBy(
    [...planning.draft.port.values()].filter(({ deviceOwner }) => deviceOwner === DHCP_PORT),
    ({ networkId }) => networkId,
  )
  const listed = new Set(
    contents.port
      .filter((item) => item.device_owner === DHCP_PORT)
      .map(({ network }) => planning.resolveQuietly('network', network ?? '')),
  )
  return [...networksInFile(contents, planning)].flatMap(([network, at]) => {
    if (listed.has(network)) return []
    const ports = existing.get(network) ?? []
    const served = planning.subnetsOf(network).filter(({ enableDhcp }) => enableDhcp)
    if (served.length === 0) {
      for (const { id } of ports) planning.draft.port.delete(id)
      return []
    }
    const wishes = served.map((subnet) => ({ at, candidates: [subnet] }))
    const request = { at, label: 'the DHCP port', wishes, mac: null, mayBeGateway: false }
    const kept: readonly PortFields[] = ports.length > 0 ? ports : [newDhcpPort(host, network, planning)]
    return kept.map((port) => portRequest(port, request, planning))
  })
}

/** The networks that the file speaks of, be it only by a subnet, with the place where it does. */
function networksInFile(contents: Contents, planning: Planning): ReadonlyMap<NetworkId, Path> {
  const networks = [...soundItems(planning, 'network', contents.network)].map(([item, id]) => [id, item.at] as const)
  const bySubnet = [...soundItems(planning, 'subnet', contents.subnet)].flatMap(([item, id]) => {
    const network = planning.draft.subnet.get(id)?.networkId
    return network === undefined ? [] : [[network, item.at] as const]
  })
  return new Map([...bySubnet, ...networks])
}

function newDhcpPort(host: string, network: NetworkId, planning: Planning): PortFields {
  return madePort({
    id: planning.generate.uuid() as PortId,
    networkId: network,
    projectId: ownerOf('network', network, planning),
    securityGroupIds: [],
    deviceId: dhcpDeviceId(host, network),
    deviceOwner: DHCP_PORT,
    portSecurityEnabled: false,
  })
}
