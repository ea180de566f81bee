import { type Cidr, ipVersion } from '../../inventory/records/address.ts'
import type { Network } from '../../inventory/records/network.ts'
import type { Port } from '../../inventory/records/port.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import { addressOn } from '../dhcp/network-view.ts'
import { defaultGateway } from '../dhcp/options.ts'
import { EVERYWHERE, METADATA_IPV4 } from '../metadata-address.ts'
import type { Texts } from './rows.ts'

/** A row of DHCP_Options. */
export interface DhcpValues {
  readonly cidr: Cidr
  readonly options: Texts
  readonly external_ids: Texts
}

export interface DhcpSurroundings {
  readonly network: Network
  readonly metadataPort: Port | undefined
  /** Empty for none. */
  readonly dnsDomain: string
}

/** `[ovn] dhcp_default_lease_time`. */
const LEASE_SECONDS = 43_200
/** Of which ML2/OVN tells guests nothing. */
const USUAL_DOMAIN = 'openstacklocal'

/**
 * What OVN tells guests of a subnet, as ML2/OVN has it. Pure.
 * @param mac  of the server that OVN plays
 * @returns undefined where it tells nothing: no DHCP, or neither a gateway nor a metadata port to speak as
 */
export function dhcpOptions(subnet: Subnet, around: DhcpSurroundings, mac: string): DhcpValues | undefined {
  if (!subnet.enableDhcp) return undefined
  const options = subnet.ipVersion === 4 ? ipv4Options(subnet, around, mac) : ipv6Options(subnet, mac)
  if (options === undefined) return undefined
  const external_ids = new Map([
    ['neutron:network_id', around.network.id as string],
    ['subnet_id', subnet.id],
  ])
  return { cidr: subnet.cidr, options, external_ids }
}

/** DHCP gives addresses there, and not only what else there is to know. */
export function isStateful({ ipVersion, ipv6AddressMode }: Subnet): boolean {
  return ipVersion === 4 || ipv6AddressMode !== 'dhcpv6-stateless'
}

function ipv4Options(
  subnet: Subnet,
  { network, metadataPort, dnsDomain }: DhcpSurroundings,
  mac: string,
): Texts | undefined {
  const gateway = defaultGateway(subnet)
  const metadata = addressOn(metadataPort, subnet.id)
  const server = gateway ?? metadata
  if (server === undefined) return undefined
  const routes = [
    ...(metadata === undefined ? [] : [`${METADATA_IPV4}/32,${metadata}`]),
    ...subnet.hostRoutes
      .filter(({ destination }) => destination !== EVERYWHERE[4])
      .map(({ destination, nexthop }) => `${destination},${nexthop}`),
  ]
  // A client that obeys RFC 3442 ignores option 3 when 121 is there.
  const all = gateway === null || routes.length === 0 ? routes : [...routes, `${EVERYWHERE[4]},${gateway}`]
  return new Map([
    ['server_id', server],
    ['server_mac', mac],
    ['lease_time', String(LEASE_SECONDS)],
    ['mtu', String(network.mtu)],
    ...([USUAL_DOMAIN, ''].includes(dnsDomain) ? [] : [['domain_name', `"${dnsDomain}"`] as const]),
    ...(gateway === null ? [] : [['router', gateway] as const]),
    ...dnsServers(subnet),
    ...(all.length === 0 ? [] : [['classless_static_route', `{${all.join(', ')}}`] as const]),
  ])
}

/** Without a mode, routers that are not ours say whether there is DHCP; OVN answers those who ask, as with Neutron. */
function ipv6Options(subnet: Subnet, mac: string): Texts | undefined {
  const mode = subnet.ipv6AddressMode
  if (mode === 'slaac') return undefined
  return new Map([
    ['server_id', mac],
    ...dnsServers(subnet),
    ...(mode === 'dhcpv6-stateless' ? [['dhcpv6_stateless', 'true'] as const] : []),
  ])
}

/** `0.0.0.0` or `::` announces none. */
function dnsServers({ dnsNameservers, ipVersion: its }: Subnet): readonly (readonly [string, string])[] {
  const servers = dnsNameservers.filter((address) => ipVersion(address) === its)
  const none: readonly string[] = ['0.0.0.0', '::']
  if (servers.length === 0 || servers.some((address) => none.includes(address))) return []
  return [['dns_server', `{${servers.join(', ')}}`]]
}
