import type { Cidr, IpAddress, IpVersion } from './address.ts'
import type { NetworkId, ProjectId, SubnetId } from './ids.ts'

export type Ipv6Mode = 'slaac' | 'dhcpv6-stateful' | 'dhcpv6-stateless'

export interface AllocationPool {
  readonly start: IpAddress
  readonly end: IpAddress
}

export interface HostRoute {
  readonly destination: Cidr
  readonly nexthop: IpAddress
}

/** An address range on a network, and what DHCP says there. */
export interface Subnet {
  readonly id: SubnetId
  readonly networkId: NetworkId
  readonly projectId: ProjectId
  readonly name: string
  readonly ipVersion: IpVersion
  readonly cidr: Cidr
  /** null: the subnet has no gateway, and DHCP gives no default route. */
  readonly gatewayIp: IpAddress | null
  readonly allocationPools: readonly AllocationPool[]
  readonly enableDhcp: boolean
  readonly dnsNameservers: readonly IpAddress[]
  readonly hostRoutes: readonly HostRoute[]
  readonly ipv6AddressMode: Ipv6Mode | null
  readonly ipv6RaMode: Ipv6Mode | null
  /** The metadata providers (NSX-style load balancers) that ask for guests of its network, by X-Metadata-Provider. */
  readonly advancedServiceProviders: readonly string[]
}
