import type { Dnsmasq, DnsmasqFiles } from '../../host/namespace.ts'
import {
  type IpAddress,
  ipVersion,
  type MacAddress,
  netmask,
  networkAddress,
  prefixLength,
} from '../../inventory/records/address.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import type { DhcpConfig } from './config.ts'
import type { NetworkView } from './network-view.ts'
import { inDnsmasqText, subnetOptions } from './options.ts'

/** The dnsmasq of one network, with the arguments and files the DHCP agent gives it. */
export function dnsmasqOf(view: NetworkView, config: DhcpConfig): Dnsmasq {
  const directory = `${config.statePath}/dhcp/${view.network.id}`
  const hosts = namedAddresses(view, config)
  const leased = hosts.filter(({ reservation }) => reservation !== undefined)
  return {
    kind: 'dnsmasq',
    directory,
    arguments: dnsmasqArguments(view, directory, config),
    files: {
      host: leased.map(({ reservation }) => `${reservation}\n`).join(''),
      addn_hosts: hosts.map(({ address, name, fqdn }) => `${address}\t${fqdn} ${name}\n`).join(''),
      opts: view.subnets
        .filter((subnet) => subnet.enableDhcp)
        .flatMap((subnet) => subnetOptions(subnet, view, config))
        .join('\n'),
    } satisfies DnsmasqFiles,
    initialLeases: leased
      .filter(({ address }) => ipVersion(address) === 4)
      .map(({ mac, address, name }) => ({ mac, address, name })),
    leaseDuration: config.dhcpLeaseDuration,
  }
}

interface NamedAddress {
  readonly mac: MacAddress
  readonly address: IpAddress
  readonly name: string
  readonly fqdn: string
  /** The line that reserves the address; undefined where DHCP does not give it out. */
  readonly reservation: string | undefined
}

/** Every fixed IP of every port but our own: router interfaces and ports without a device too. */
function namedAddresses({ ports, subnets, dhcpPort }: NetworkView, config: DhcpConfig): readonly NamedAddress[] {
  const byId = new Map(subnets.map((subnet) => [subnet.id, subnet]))
  return ports
    .filter((port) => port !== dhcpPort)
    .flatMap((port) => port.fixedIps.map((fixedIp) => ({ port, ...fixedIp })))
    .map(({ port, subnetId, ipAddress: address }) => {
      const name = `host-${address.replaceAll(/[.:]/g, '-')}`
      const fqdn = config.dnsDomain === '' ? name : `${name}.${config.dnsDomain}`
      const subnet = byId.get(subnetId)
      const tags = ipVersion(address) === 6 ? ['tag:dhcpv6'] : []
      const reservation =
        subnet !== undefined && isReserved(subnet)
          ? [port.macAddress, ...tags, fqdn, inDnsmasqText(address)].join(',')
          : undefined
      return { mac: port.macAddress, address, name, fqdn, reservation }
    })
}

/** In stateless DHCPv6 and SLAAC the guest makes its own address. */
function isReserved({ enableDhcp, ipv6AddressMode }: Subnet): boolean {
  return enableDhcp && ipv6AddressMode !== 'slaac' && ipv6AddressMode !== 'dhcpv6-stateless'
}

function dnsmasqArguments(view: NetworkView, directory: string, config: DhcpConfig): readonly string[] {
  const ranged = view.subnets.filter(hasRange)
  const leaseMax = Math.min(
    ranged.map(size).reduce((sum, one) => sum + one, 0),
    config.dnsmasqLeaseMax,
  )
  return [
    '--no-hosts',
    ...(config.dnsmasqLocalResolv ? [] : ['--no-resolv']),
    `--pid-file=${directory}/pid`,
    `--dhcp-hostsfile=${directory}/host`,
    `--addn-hosts=${directory}/addn_hosts`,
    `--dhcp-optsfile=${directory}/opts`,
    `--dhcp-leasefile=${directory}/leases`,
    '--dhcp-match=set:ipxe,175',
    '--dhcp-userclass=set:ipxe6,iPXE',
    '--local-service',
    '--bind-dynamic',
    ...ranged.map((subnet) => rangeArgument(subnet, config)),
    ...(view.network.mtu > 0 ? [`--dhcp-option-force=option:mtu,${view.network.mtu}`] : []),
    `--dhcp-lease-max=${leaseMax}`,
    ...(config.dhcpRenewalTime > 0 ? [`--dhcp-option-force=option:T1,${config.dhcpRenewalTime}s`] : []),
    ...(config.dhcpRebindingTime > 0 ? [`--dhcp-option-force=option:T2,${config.dhcpRebindingTime}s`] : []),
    `--conf-file=${config.dnsmasqConfigFile || '/dev/null'}`,
    ...config.dnsmasqDnsServers.map((server) => `--server=${server}`),
    ...(config.dnsDomain === '' ? [] : [`--domain=${config.dnsDomain}`]),
    ...(config.dhcpBroadcastReply ? ['--dhcp-broadcast'] : []),
  ]
}

/** dnsmasq answers only where it has a range. It takes no IPv6 prefix shorter than 64, and SLAAC needs none. */
function hasRange({ enableDhcp, ipVersion, cidr, ipv6AddressMode, ipv6RaMode }: Subnet): boolean {
  if (!enableDhcp) return false
  if (ipVersion === 4) return true
  const isManaged = ipv6AddressMode === null ? ipv6RaMode === null : ipv6AddressMode !== 'slaac'
  return isManaged && prefixLength(cidr) >= 64
}

function rangeArgument({ id, cidr, ipVersion }: Subnet, { dhcpLeaseDuration }: DhcpConfig): string {
  const mask = ipVersion === 4 ? netmask(cidr) : prefixLength(cidr)
  const lease = dhcpLeaseDuration === -1 ? 'infinite' : `${dhcpLeaseDuration}s`
  return `--dhcp-range=set:subnet-${id},${networkAddress(cidr)},static,${mask},${lease}`
}

/** Number of addresses. */
function size({ cidr, ipVersion }: Subnet): number {
  return 2 ** ((ipVersion === 4 ? 32 : 128) - prefixLength(cidr))
}
