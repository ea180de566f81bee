import { type Cidr, contains, type IpAddress, networkAddress } from '../../inventory/records/address.ts'
import type { RouterId, SubnetId } from '../../inventory/records/ids.ts'
import type { Network } from '../../inventory/records/network.ts'
import { DHCP_PORT, type Port, ROUTER_INTERFACE_OWNERS } from '../../inventory/records/port.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'

/** One network with everything on it, in an order that does not depend on how the records were stored. */
export interface NetworkView {
  readonly network: Network
  /** By id. */
  readonly subnets: readonly Subnet[]
  /** By id. */
  readonly ports: readonly Port[]
  /** The port our namespace is plugged into: the first of several. */
  readonly dhcpPort: Port | undefined
}

export function viewNetwork(network: Network, subnets: Iterable<Subnet>, ports: Iterable<Port>): NetworkView {
  const sorted = [...ports].sort(byId)
  return {
    network,
    subnets: [...subnets].sort(byId),
    ports: sorted,
    dhcpPort: sorted.find((port) => port.deviceOwner === DHCP_PORT),
  }
}

/** Metadata networks are those of RFC 3927. */
const METADATA_NETWORK = '169.254.0.0/16' as Cidr

/**
 * Nobody routes for this subnet: no router interface holds its gateway address. A router that is attached on another
 * address leaves the subnet isolated, and a subnet without a gateway always is.
 */
export function isIsolated(subnet: Subnet, { ports }: Pick<NetworkView, 'ports'>): boolean {
  return !ports.some(
    (port) =>
      ROUTER_INTERFACE_OWNERS.has(port.deviceOwner) &&
      port.fixedIps.some(({ ipAddress }) => ipAddress === subnet.gatewayIp),
  )
}

export function addressOn(port: Port | undefined, subnetId: SubnetId): IpAddress | undefined {
  return port?.fixedIps.find((fixedIp) => fixedIp.subnetId === subnetId)?.ipAddress
}

/** The localport ML2/OVN makes for metadata: its namespace answers, ours must not. */
export function ovnMetadataPort({ ports }: NetworkView): Port | undefined {
  return ports.find((port) => port.deviceOwner === 'network:distributed' && port.deviceId.startsWith('ovnmeta-'))
}

/** The router that a metadata network (a subnet within 169.254.0.0/16) speaks for, or undefined. */
export function metadataNetworkRouter({ subnets, ports }: NetworkView): RouterId | undefined {
  if (!subnets.some(isInMetadataNetwork)) return undefined
  return ports.find((port) => ROUTER_INTERFACE_OWNERS.has(port.deviceOwner))?.deviceId as RouterId | undefined
}

export function isInMetadataNetwork({ cidr, ipVersion }: Subnet): boolean {
  return ipVersion === 4 && contains(METADATA_NETWORK, networkAddress(cidr))
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : Number(a.id > b.id)
}
