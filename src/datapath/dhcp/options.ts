import { type IpAddress, ipVersion } from '../../inventory/records/address.ts'
import { DHCP_PORT } from '../../inventory/records/port.ts'
import type { HostRoute, Subnet } from '../../inventory/records/subnet.ts'
import type { DhcpConfig } from './config.ts'
import { addressOn, isIsolated, type NetworkView, ovnMetadataPort } from './network-view.ts'

/** What a guest on one subnet is told: the lines of dnsmasq's `--dhcp-optsfile` for it. */
export function subnetOptions(subnet: Subnet, view: NetworkView, config: DhcpConfig): readonly string[] {
  const options = subnet.ipVersion === 4 ? ipv4Options(subnet, view, config) : ipv6Options(subnet, view, config)
  return options.map(([option, values]) => [`tag:subnet-${subnet.id}`, option, ...values].join(','))
}

type DhcpOption = readonly [name: string, values: readonly string[]]

function ipv4Options(subnet: Subnet, view: NetworkView, config: DhcpConfig): readonly DhcpOption[] {
  const gateway = defaultGateway(subnet)
  const routes = classlessRoutes(subnet, view, config).flatMap(({ destination, nexthop }) => [destination, nexthop])
  return [
    ...dnsOption('option', subnet, view),
    // Windows before Vista asks for 249 only; both carry the same value.
    ...(routes.length === 0
      ? []
      : ([
          ['option:classless-static-route', routes],
          ['249', routes],
        ] as const)),
    // Without a value it still stands, or dnsmasq would name itself as the router.
    ['option:router', gateway === null ? [] : [gateway]],
  ]
}

function ipv6Options(subnet: Subnet, view: NetworkView, config: DhcpConfig): readonly DhcpOption[] {
  if (subnet.ipv6AddressMode === 'slaac') return []
  return [...dnsOption('option6', subnet, view), ['option6:domain-search', [config.dnsDomain]]]
}

/** The subnet's servers; a lone `0.0.0.0` or `::` announces none. Where none are configured, dnsmasq names itself, which
 *  is right for one DHCP port; several are named here, so that a guest survives the loss of one. */
function dnsOption(prefix: 'option' | 'option6', subnet: Subnet, { ports }: NetworkView): readonly DhcpOption[] {
  const name = `${prefix}:dns-server`
  const [first, ...more] = subnet.dnsNameservers
  if (more.length === 0 && (first === '0.0.0.0' || first === '::')) return [[name, []]]
  if (first !== undefined) return [[name, subnet.dnsNameservers.map(inDnsmasqText)]]
  const ours = ports
    .filter((port) => port.deviceOwner === DHCP_PORT)
    .map((port) => addressOn(port, subnet.id))
    .filter((address) => address !== undefined)
  return ours.length > 1 ? [[name, ours.sort().map(inDnsmasqText)]] : []
}

/**
 * The value of option 121. Its default route repeats option 3 because a client that obeys RFC 3442 ignores option 3
 * when 121 is there.
 */
export function classlessRoutes(
  subnet: Subnet,
  view: NetworkView,
  config: DhcpConfig,
): readonly { readonly destination: string; readonly nexthop: string }[] {
  const onLink = view.subnets
    .filter((other) => other.ipVersion === 4 && other.id !== subnet.id)
    .map(({ cidr }) => ({ destination: cidr, nexthop: '0.0.0.0' }))
    .reverse()
  const metadata = metadataNextHop(subnet, view, config)
  const gateway = defaultGateway(subnet)
  const routes = [
    ...onLink,
    ...subnet.hostRoutes.filter((route) => !isDefault(route)),
    ...(metadata === undefined ? [] : [{ destination: '169.254.169.254/32', nexthop: metadata }]),
  ]
  return gateway === null || routes.length === 0 ? routes : [...routes, { destination: '0.0.0.0/0', nexthop: gateway }]
}

interface NextHop {
  readonly holds: (subnet: Subnet, view: NetworkView, config: DhcpConfig) => boolean
  readonly address: (subnet: Subnet, view: NetworkView) => IpAddress | null | undefined
}

/** Where a guest sends what it asks 169.254.169.254; the first row that holds decides. */
const NEXT_HOPS: readonly NextHop[] = [
  {
    holds: (subnet, view) => addressOn(ovnMetadataPort(view), subnet.id) !== undefined,
    address: (subnet, view) => addressOn(ovnMetadataPort(view), subnet.id),
  },
  {
    holds: (subnet, view, config) =>
      config.forceMetadata || (config.enableIsolatedMetadata && isIsolated(subnet, view)),
    address: (subnet, view) => addressOn(view.dhcpPort, subnet.id),
  },
  { holds: (subnet, view) => !isIsolated(subnet, view), address: (subnet) => subnet.gatewayIp },
]

function metadataNextHop(subnet: Subnet, view: NetworkView, config: DhcpConfig): IpAddress | undefined {
  return NEXT_HOPS.find((row) => row.holds(subnet, view, config))?.address(subnet, view) ?? undefined
}

/** A host route to everywhere is the gateway of a subnet that has none, and is ignored on one that has. */
export function defaultGateway(subnet: Subnet): IpAddress | null {
  return subnet.gatewayIp ?? subnet.hostRoutes.find(isDefault)?.nexthop ?? null
}

function isDefault({ destination }: HostRoute): boolean {
  return destination === '0.0.0.0/0' || destination === '::/0'
}

/** dnsmasq wants IPv6 addresses in brackets. */
export function inDnsmasqText(address: IpAddress): string {
  return ipVersion(address) === 6 ? `[${address}]` : address
}
