import { type Cidr, contains, type IpAddress, networkAddress } from '../../inventory/records/address.ts'
import type { RouterId, SubnetId } from '../../inventory/records/ids.ts'
import type { Network } from '../../inventory/records/network.ts'
import { DHCP_PORT, isRouterInterface, type Port } from '../../inventory/records/port.ts'
import type { Router } from '../../inventory/records/router.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'

/** One network with everything on it, in an order that does not depend on how the records were stored. */
export interface NetworkView {
  readonly network: Network
  /** By id. */
  readonly subnets: readonly Subnet[]
  /** By id. */
  readonly ports: readonly Port[]
  /** The port our namespace is plugged into: the first of several, of those that are up if there is one. */
  readonly dhcpPort: Port | undefined
  /** Interfaces of routers, by id; without those that are down, which route nothing. */
  readonly routerPorts: readonly Port[]
}

/**
 * @param routers  those with interfaces on the network; of one that is not among them nothing is known, and it is taken for
 *                 one that is up
 */
export function viewNetwork(
  network: Network,
  subnets: Iterable<Subnet>,
  ports: Iterable<Port>,
  routers: Iterable<Router> = [],
): NetworkView {
  const sorted = [...ports].sort(byId)
  const dhcpPorts = sorted.filter((port) => port.deviceOwner === DHCP_PORT)
  const down = new Set<string>([...routers].filter(({ adminStateUp }) => !adminStateUp).map(({ id }) => id))
  return {
    network,
    subnets: [...subnets].sort(byId),
    ports: sorted,
    dhcpPort: dhcpPorts.find(({ adminStateUp }) => adminStateUp) ?? dhcpPorts[0],
    routerPorts: sorted.filter((port) => isRouterInterface(port) && port.adminStateUp && !down.has(port.deviceId)),
  }
}

/** Metadata networks are those of RFC 3927. */
const METADATA_NETWORK = '169.254.0.0/16' as Cidr

/**
 * Nobody routes for this subnet: no router interface holds its gateway address. A router that is attached on another
 * address leaves the subnet isolated, and a subnet without a gateway always is.
 *
 * So does a router that is down: in Neutron its port still counts, and guests have no metadata on either path.
 */
export function isIsolated(subnet: Subnet, { routerPorts }: Pick<NetworkView, 'routerPorts'>): boolean {
  return !routerPorts.some(({ fixedIps }) => fixedIps.some(({ ipAddress }) => ipAddress === subnet.gatewayIp))
}

export function addressOn(port: Port | undefined, subnetId: SubnetId): IpAddress | undefined {
  return port?.fixedIps.find((fixedIp) => fixedIp.subnetId === subnetId)?.ipAddress
}

/** The localport ML2/OVN makes for metadata: its namespace answers, ours must not. */
export function ovnMetadataPort({ ports }: NetworkView): Port | undefined {
  return ports.find((port) => port.deviceOwner === 'network:distributed' && port.deviceId.startsWith('ovnmeta-'))
}

/** The router that a metadata network (a subnet within 169.254.0.0/16) speaks for, or undefined. */
export function metadataNetworkRouter({ subnets, routerPorts }: NetworkView): RouterId | undefined {
  if (!subnets.some(isInMetadataNetwork)) return undefined
  return routerPorts[0]?.deviceId as RouterId | undefined
}

export function isInMetadataNetwork({ cidr, ipVersion }: Subnet): boolean {
  return ipVersion === 4 && contains(METADATA_NETWORK, networkAddress(cidr))
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : Number(a.id > b.id)
}
