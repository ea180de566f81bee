import type { Cidr } from '../../inventory/records/address.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import { addressOn, type NetworkView } from '../dhcp/network-view.ts'
import { defaultGateway } from '../dhcp/options.ts'
import { METADATA_IPV4 } from '../metadata-address.ts'

/** A row of DHCP_Options. */
export interface DhcpValues {
  readonly cidr: Cidr
  readonly options: ReadonlyMap<string, string>
  readonly external_ids: ReadonlyMap<string, string>
}

/** `[ovn] dhcp_default_lease_time`. */
const LEASE_SECONDS = 43_200

/**
 * What OVN tells guests of a subnet, as ML2/OVN has it. Pure.
 * @param mac  of the server that OVN plays
 * @returns undefined where it tells nothing: no DHCP, or neither a gateway nor a metadata port to speak as
 */
export function dhcpOptions(subnet: Subnet, view: NetworkView, mac: string): DhcpValues | undefined {
  if (!subnet.enableDhcp) return undefined
  const options = subnet.ipVersion === 4 ? ipv4Options(subnet, view, mac) : ipv6Options(subnet, mac)
  if (options === undefined) return undefined
  const external_ids = new Map([
    ['neutron:network_id', view.network.id as string],
    ['subnet_id', subnet.id],
  ])
  return { cidr: subnet.cidr, options, external_ids }
}

function ipv4Options(subnet: Subnet, view: NetworkView, mac: string): ReadonlyMap<string, string> | undefined {
  const gateway = defaultGateway(subnet)
  const metadata = addressOn(view.dhcpPort, subnet.id)
  const server = gateway ?? metadata
  if (server === undefined) return undefined
  const routes = [
    ...(metadata === undefined ? [] : [`${METADATA_IPV4}/32,${metadata}`]),
    ...subnet.hostRoutes.map(({ destination, nexthop }) => `${destination},${nexthop}`),
  ]
  // A client that obeys RFC 3442 ignores option 3 when 121 is there.
  const all = gateway === null || routes.length === 0 ? routes : [...routes, `0.0.0.0/0,${gateway}`]
  return new Map([
    ['server_id', server],
    ['server_mac', mac],
    ['lease_time', String(LEASE_SECONDS)],
    ['mtu', String(view.network.mtu)],
    ...(gateway === null ? [] : [['router', gateway] as const]),
    ...dnsServers(subnet),
    ...(all.length === 0 ? [] : [['classless_static_route', `{${all.join(', ')}}`] as const]),
  ])
}

function ipv6Options(subnet: Subnet, mac: string): ReadonlyMap<string, string> | undefined {
  const mode = subnet.ipv6AddressMode
  if (mode === null || mode === 'slaac') return undefined
  return new Map([
    ['server_id', mac],
    ...dnsServers(subnet),
    ...(mode === 'dhcpv6-stateless' ? [['dhcpv6_stateless', 'true'] as const] : []),
  ])
}

function dnsServers({ dnsNameservers }: Subnet): readonly (readonly [string, string])[] {
  return dnsNameservers.length === 0 ? [] : [['dns_server', `{${dnsNameservers.join(', ')}}`]]
}
