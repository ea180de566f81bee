import {
  type Cidr,
  contains,
  fromNumber,
  type IpAddress,
  ipVersion,
  isLinkLocal,
  lastAddress,
  networkAddress,
  overlap,
  prefixLength,
  toNumber,
} from '../../records/address.ts'
import type { NetworkId } from '../../records/ids.ts'
import type { AllocationPool, Subnet } from '../../records/subnet.ts'
import type { Path } from '../problem.ts'
import type { Contents, PlacedSubnet } from './contents.ts'
import { ownerOf } from './owned-nouns.ts'
import { type Planning, soundItems } from './planning.ts'

/** Neutron's default for networks of its own. */
const DEFAULT_MTU = 1500
/** RFC 8200, section 5. */
const IPV6_MINIMUM_MTU = 1280

export function planNetworks(contents: Contents, planning: Planning): void {
  for (const [item, id] of soundItems(planning, 'network', contents.network)) {
    planning.draft.network.set(id, {
      id,
      projectId: ownerOf('network', id, planning),
      name: item.name,
      adminStateUp: item.admin_state_up ?? true,
      mtu: item.mtu ?? DEFAULT_MTU,
      shared: item.shared ?? false,
      external: item['router:external'] ?? false,
    })
  }
  planSubnets(contents, planning)
  for (const [item, id] of soundItems(planning, 'network', contents.network)) {
    const hasIpv6 = planning.subnetsOf(id).some(({ ipVersion }) => ipVersion === 6)
    if (hasIpv6 && (item.mtu ?? DEFAULT_MTU) < IPV6_MINIMUM_MTU) {
      planning.report(
        [...item.at, 'mtu'],
        `is ${item.mtu}; a network with an IPv6 subnet needs at least ${IPV6_MINIMUM_MTU}`,
      )
    }
  }
}

function planSubnets(contents: Contents, planning: Planning): void {
  for (const item of contents.subnet) {
    const id = planning.idOf('subnet', item)
    const networkId = networkOf(item, planning)
    if (networkId === undefined) continue
    if (id === undefined || !planning.isSound(item)) {
      planning.unsure.add(networkId)
      continue
    }
    const badPools = poolProblems(item).filter((found) => found !== undefined)
    checkSubnet(item, badPools, planning)
    const { cidr, gateway_ip: gatewayIp = defaultGateway(cidr) } = item
    const subnet: Subnet = {
      id,
      networkId,
      projectId: ownerOf('network', networkId, planning),
      name: item.name ?? '',
      ipVersion: ipVersion(cidr),
      cidr,
      gatewayIp,
      // Nobody else is reproached with what follows from a bad pool.
      allocationPools:
        (badPools.length > 0 ? undefined : item.allocation_pools?.map(({ start, end }) => ({ start, end }))) ??
        defaultPools(cidr, gatewayIp),
      enableDhcp: item.enable_dhcp ?? true,
      dnsNameservers: item.dns_nameservers ?? [],
      hostRoutes: item.host_routes?.map(({ destination, nexthop }) => ({ destination, nexthop })) ?? [],
      ipv6AddressMode: item.ipv6_address_mode ?? null,
      ipv6RaMode: item.ipv6_ra_mode ?? null,
      advancedServiceProviders: item.advanced_service_providers ?? [],
    }
    planning.draft.subnet.set(id, subnet)
  }
  refuseOverlaps(contents, planning)
}

/** The network an item was identified on; that of a nested one is known even when the subnet itself is not. */
function networkOf(item: PlacedSubnet, planning: Planning): NetworkId | undefined {
  if (typeof item.network === 'object') return planning.idOf('network', item.network)
  const id = planning.idOf('subnet', item)
  const scope = id === undefined ? undefined : planning.directory.scopeOf('subnet', id)
  return scope === '' ? undefined : (scope as NetworkId | undefined)
}

/** Each pair of overlapping subnets of one network is reported once, at the later of the two. */
function refuseOverlaps(contents: Contents, planning: Planning): void {
  const items = [...soundItems(planning, 'subnet', contents.subnet)]
  const inFile = new Set<string>(items.map(([, id]) => id))
  const others = Map.groupBy(
    [...planning.draft.subnet.values()].filter(({ id }) => !inFile.has(id)),
    ({ networkId }) => networkId,
  )
  for (const [item, id] of items) {
    const subnet = planning.draft.subnet.get(id)
    if (subnet === undefined) continue
    const earlier = others.get(subnet.networkId) ?? []
    const other = earlier.find(({ cidr }) => overlap(cidr, subnet.cidr))
    if (other !== undefined) {
      const message = `${subnet.cidr} overlaps ${labelOf(other)} of the same network; choose another range`
      planning.report([...item.at, 'cidr'], message)
    }
    others.set(subnet.networkId, [...earlier, subnet])
  }
}

/** One rule for a subnet: undefined when it is kept, else the field it is broken at and what would be right. */
type Rule = (item: PlacedSubnet) => readonly [path: Path, message: string] | undefined

const rules: readonly Rule[] = [
  ({ cidr, ip_version }) =>
    ip_version === undefined || ip_version === ipVersion(cidr)
      ? undefined
      : [['ip_version'], `is ${ip_version}, but ${cidr} is IPv${ipVersion(cidr)}; leave ip_version out`],
  ({ cidr, gateway_ip }) =>
    gateway_ip === undefined || gateway_ip === null || contains(cidr, gateway_ip) || isIpv6LinkLocal(gateway_ip)
      ? undefined
      : [['gateway_ip'], `${gateway_ip} is outside ${cidr}; choose an address in it, or null for none`],
  ({ cidr, ipv6_address_mode, ipv6_ra_mode }) =>
    ipVersion(cidr) === 6 || !(ipv6_address_mode || ipv6_ra_mode)
      ? undefined
      : [[ipv6_address_mode ? 'ipv6_address_mode' : 'ipv6_ra_mode'], `is for IPv6, and ${cidr} is IPv4; leave it out`],
  ({ ipv6_address_mode, ipv6_ra_mode }) =>
    !ipv6_address_mode || !ipv6_ra_mode || ipv6_address_mode === ipv6_ra_mode
      ? undefined
      : [['ipv6_ra_mode'], `is ${ipv6_ra_mode}, and should be equal to ipv6_address_mode (${ipv6_address_mode})`],
  ({ cidr, ipv6_address_mode }) =>
    ipVersion(cidr) === 4 || !isAutomatic(ipv6_address_mode) || prefixLength(cidr) === 64
      ? undefined
      : [['cidr'], `${cidr} cannot use ${ipv6_address_mode}: guests make their addresses under a /64 only`],
  ({ enable_dhcp = true, ipv6_address_mode, ipv6_ra_mode }) =>
    enable_dhcp || !(ipv6_address_mode || ipv6_ra_mode)
      ? undefined
      : [['enable_dhcp'], 'is false; the IPv6 modes need it true'],
]

function checkSubnet(item: PlacedSubnet, badPools: ReturnType<Rule>[], planning: Planning): void {
  const wrong = [...rules.map((rule) => rule(item)), ...familyProblems(item), ...badPools]
  for (const found of wrong) if (found !== undefined) planning.report([...item.at, ...found[0]], found[1])
}

/** Name servers, routes and pools must be of the subnet's IP version. */
function familyProblems(item: PlacedSubnet): ReturnType<Rule>[] {
  const version = ipVersion(item.cidr)
  const texts: readonly (readonly [Path, IpAddress | Cidr])[] = [
    ...(item.dns_nameservers ?? []).map((address, i) => [['dns_nameservers', i], address] as const),
    ...(item.host_routes ?? []).flatMap(({ destination, nexthop }, i) => [
      [['host_routes', i, 'destination'], destination] as const,
      [['host_routes', i, 'nexthop'], nexthop] as const,
    ]),
  ]
  return texts
    .filter(([, value]) => ipVersion(value) !== version)
    .map(([path, value]) => [path, `${value} is not IPv${version}, as ${item.cidr} is`])
}

function poolProblems(item: PlacedSubnet): ReturnType<Rule>[] {
  const { cidr, allocation_pools: pools = [], gateway_ip: gateway = defaultGateway(cidr) } = item
  return pools.map((pool, i) => {
    const path = ['allocation_pools', i]
    const text = `${pool.start}-${pool.end}`
    const outside = (['start', 'end'] as const).find((end) => !contains(cidr, pool[end]))
    if (outside !== undefined) return [[...path, outside], `${pool[outside]} is outside ${cidr}`]
    if (toNumber(pool.start) > toNumber(pool.end)) return [path, `${text} ends before it starts; swap start and end`]
    if (gateway !== null && isWithin(pool, gateway))
      return [path, `${text} holds the gateway ${gateway}; leave it out of the pool`]
    const other = pools.slice(0, i).find((earlier) => isWithin(earlier, pool.start) || isWithin(pool, earlier.start))
    return other === undefined ? undefined : [path, `${text} overlaps the pool ${other.start}-${other.end}`]
  })
}

function isWithin(pool: AllocationPool, address: IpAddress): boolean {
  if (ipVersion(pool.start) !== ipVersion(address)) return false
  return toNumber(pool.start) <= toNumber(address) && toNumber(address) <= toNumber(pool.end)
}

function isIpv6LinkLocal(address: IpAddress): boolean {
  return ipVersion(address) === 6 && isLinkLocal(address)
}

/** Guests make their own address there, of the prefix and their MAC (EUI-64). */
export function isAutomatic(mode: Subnet['ipv6AddressMode'] | undefined): boolean {
  return mode === 'slaac' || mode === 'dhcpv6-stateless'
}

/** Neutron's: the first address in IPv4, and in IPv6 the network address itself (measured). A /32 has no room for one. */
export function defaultGateway(cidr: Cidr): IpAddress | null {
  if (ipVersion(cidr) === 6) return networkAddress(cidr)
  return prefixLength(cidr) === 32 ? null : fromNumber(toNumber(networkAddress(cidr)) + 1n, 4)
}

/** The whole range without network address, broadcast address (IPv4 up to /30) and gateway. */
export function defaultPools(cidr: Cidr, gateway: IpAddress | null): readonly AllocationPool[] {
  const version = ipVersion(cidr)
  const isSmall = prefixLength(cidr) > (version === 4 ? 30 : 126)
  const first = toNumber(networkAddress(cidr)) + (isSmall ? 0n : 1n)
  const last = toNumber(lastAddress(cidr)) - (version === 4 && !isSmall ? 1n : 0n)
  const hole = gateway !== null && ipVersion(gateway) === version ? toNumber(gateway) : undefined
  const isInside = hole !== undefined && hole >= first && hole <= last
  const ranges = isInside ? [[first, hole - 1n] as const, [hole + 1n, last] as const] : [[first, last] as const]
  return ranges
    .filter(([start, end]) => start <= end)
    .map(([start, end]) => ({ start: fromNumber(start, version), end: fromNumber(end, version) }))
}

/** `blue-subnet (10.0.0.0/24)`. */
export function labelOf({ name, cidr }: Pick<Subnet, 'name' | 'cidr'>): string {
  return name === '' ? cidr : `${name} (${cidr})`
}
