import type { Json } from '../documents/json.ts'
import { netmask, networkAddress, prefixLength } from '../inventory/records/address.ts'
import type { Instance, InstanceInterface, InterfaceSubnet } from '../inventory/records/instance.ts'

/** Of cloud-init's own network configuration; 2 is what netplan reads. */
export type NetworkConfigVersion = 1 | 2

/** The interfaces as cloud-init's network-config, by their MAC addresses; undefined for an instance without any. */
export function networkConfig({ interfaces }: Instance, version: NetworkConfigVersion): Json | undefined {
  if (interfaces.length === 0) return undefined
  const named = interfaces.map((vif, index) => ({ vif, name: `eth${index}` }))
  if (version === 1) return { version, config: named.map(({ vif, name }) => physical(vif, name)) }
  return { version, ethernets: new Map(named.map(({ vif, name }) => [name, ethernet(vif, name)])) }
}

/** How a guest comes to an address of a subnet. */
type Way = 'dhcp4' | 'dhcp6' | 'slaac' | 'static'

function wayOf({ ipVersion, enableDhcp, ipv6AddressMode }: InterfaceSubnet): Way {
  if (ipv6AddressMode === 'slaac') return 'slaac'
  if (ipv6AddressMode !== null) return 'dhcp6'
  if (!enableDhcp) return 'static'
  return ipVersion === 4 ? 'dhcp4' : 'dhcp6'
}

const ofWay = ({ subnets }: InstanceInterface, way: Way) => subnets.filter((subnet) => wayOf(subnet) === way)

function ethernet(vif: InstanceInterface, name: string): Json {
  const fixed = ofWay(vif, 'static')
  const dns = fixed.flatMap(({ dnsServers }) => dnsServers)
  const routes = fixed.flatMap(({ ipVersion, gateway, routes: own }) => [
    ...(gateway === null ? [] : [{ to: ipVersion === 4 ? '0.0.0.0/0' : '::/0', via: gateway }]),
    ...own.map((route) => ({ to: route.destination, via: route.gateway })),
  ])
  return {
    match: { macaddress: vif.macAddress },
    'set-name': name,
    mtu: vif.mtu ?? undefined,
    dhcp4: ofWay(vif, 'dhcp4').length > 0,
    dhcp6: ofWay(vif, 'dhcp6').length > 0,
    'accept-ra': ofWay(vif, 'slaac').length > 0 ? true : undefined,
    addresses: orAbsent(fixed.flatMap(cidrAddresses)),
    routes: orAbsent(routes),
    nameservers: dns.length === 0 ? undefined : { addresses: dns },
  }
}

function physical(vif: InstanceInterface, name: string): Json {
  return {
    type: 'physical',
    name,
    mac_address: vif.macAddress,
    mtu: vif.mtu ?? undefined,
    subnets: vif.subnets.flatMap(subnetConfigs),
  }
}

/** The names that version 1 has for the ways. */
const AUTOMATIC: Readonly<Record<Exclude<Way, 'static'>, string>> = {
  dhcp4: 'dhcp4',
  dhcp6: 'dhcp6',
  slaac: 'ipv6_slaac',
}

function subnetConfigs(subnet: InterfaceSubnet): Json[] {
  const way = wayOf(subnet)
  if (way !== 'static') return [{ type: AUTOMATIC[way] }]
  const { ipVersion, gateway, dnsServers, routes } = subnet
  return cidrAddresses(subnet).map((address) => ({
    type: ipVersion === 4 ? 'static' : 'static6',
    address,
    gateway: gateway ?? undefined,
    dns_nameservers: orAbsent(dnsServers),
    routes: orAbsent(
      routes.map((route) => ({
        network: networkAddress(route.destination),
        netmask: netmask(route.destination),
        gateway: route.gateway,
      })),
    ),
  }))
}

function cidrAddresses({ addresses, cidr }: InterfaceSubnet): string[] {
  return addresses.map(({ address }) => `${address}/${prefixLength(cidr)}`)
}

function orAbsent(items: readonly Json[]): readonly Json[] | undefined {
  return items.length === 0 ? undefined : items
}
