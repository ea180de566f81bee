import type { Bridge, DefaultRoute, Device, Listener, Namespace } from '../../host/namespace.ts'
import { type IpAddress, prefixLength } from '../../inventory/records/address.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import { bridgeName, type Network } from '../../inventory/records/network.ts'
import { type Port, tapName } from '../../inventory/records/port.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import type { DhcpConfig } from './config.ts'
import { dnsmasqOf } from './dnsmasq.ts'
import { decideMetadata } from './metadata-decision.ts'
import { metadataNetworkRouter, type NetworkView, viewNetwork } from './network-view.ts'
import { defaultGateway } from './options.ts'

export const DHCP_PREFIX = 'qdhcp-'

/** Where guests ask. The link-local form is on each link, so it needs no route. */
export const METADATA_IPV4 = '169.254.169.254' as IpAddress
export const METADATA_IPV6 = 'fe80::a9fe:a9fe' as IpAddress
export const METADATA_PORT = 80

/** Set before the device comes, which takes its settings from `default`. `ip_nonlocal_bind` serves a proxy that is a
 *  program of its own; `promote_secondaries` keeps an address when one of the same range goes. */
export const DHCP_SYSCTLS = {
  'net.ipv4.ip_nonlocal_bind': '1',
  'net.ipv4.conf.all.promote_secondaries': '1',
} as const
export const DHCP_SYSCTLS_IPV6 = { 'net.ipv6.conf.default.accept_ra': '0' } as const

export function bridgeOf({ id, mtu }: Pick<Network, 'id' | 'mtu'>): Bridge {
  return { name: bridgeName(id), mtu }
}

export function dhcpNamespaceName(networkId: NetworkId): string {
  return `${DHCP_PREFIX}${networkId}`
}

/**
 * What the DHCP agent keeps for one network on this machine. Pure.
 *
 * @param subnets  those of the network, in any order
 * @param ports    all ports of the network, in any order
 * @returns undefined when there must be none: the network is down, has no DHCP port, or no subnet with DHCP
 */
export function dhcpNamespace(
  network: Network,
  subnets: Iterable<Subnet>,
  ports: Iterable<Port>,
  config: DhcpConfig,
): { readonly bridge: Bridge; readonly namespace: Namespace } | undefined {
  const view = viewNetwork(network, subnets, ports)
  const { dhcpPort } = view
  if (!network.adminStateUp || dhcpPort === undefined) return undefined
  if (!view.subnets.some((subnet) => subnet.enableDhcp)) return undefined
  const bridge = bridgeOf(network)
  const device = dhcpDevice(view, dhcpPort, bridge, config)
  return {
    bridge,
    namespace: {
      name: dhcpNamespaceName(network.id),
      sysctls: { ...DHCP_SYSCTLS, ...(config.hasIpv6 ? DHCP_SYSCTLS_IPV6 : {}) },
      devices: [device],
      defaultRoutes: defaultRoutes(view, device),
      listeners: listeners(view, device, config),
      dnsmasq: dnsmasqOf(view, config),
    },
  }
}

function dhcpDevice(view: NetworkView, port: Port, bridge: Bridge, config: DhcpConfig): Device {
  const prefixes = new Map(view.subnets.map(({ id, cidr }) => [id, prefixLength(cidr)]))
  return {
    name: `ns-${port.id.slice(0, 11)}`,
    peer: tapName(port),
    bridge: bridge.name,
    mac: port.macAddress,
    mtu: bridge.mtu,
    addresses: [
      ...port.fixedIps.flatMap(({ subnetId, ipAddress }) => {
        const prefix = prefixes.get(subnetId)
        return prefix === undefined ? [] : [`${ipAddress}/${prefix}`]
      }),
      ...metadataAddresses(view, config).map((address) => `${address}/${address === METADATA_IPV6 ? 64 : 32}`),
    ],
  }
}

/** They stay while the options allow metadata here at all, also beside a router: a guest that meets a closed port learns
 *  so at once, one that meets silence waits. */
function metadataAddresses({ subnets }: NetworkView, config: DhcpConfig): readonly IpAddress[] {
  if (!config.forceMetadata && !config.enableIsolatedMetadata) return []
  const hasIpv6 = config.hasIpv6 && subnets.some(({ ipVersion }) => ipVersion === 6)
  return hasIpv6 ? [METADATA_IPV4, METADATA_IPV6] : [METADATA_IPV4]
}

/** By the first gateway of each family, so that dnsmasq can reach the servers it forwards to. */
function defaultRoutes({ subnets, dhcpPort }: NetworkView, { name: device }: Device): readonly DefaultRoute[] {
  const ours = subnets.filter(({ id }) => dhcpPort?.fixedIps.some(({ subnetId }) => subnetId === id))
  return ([4, 6] as const).flatMap((version) => {
    const gateway = ours
      .filter((subnet) => subnet.ipVersion === version)
      .map(defaultGateway)
      .find((address) => address !== null)
    return gateway === undefined ? [] : [{ gateway, device }]
  })
}

function listeners(view: NetworkView, device: Device, config: DhcpConfig): readonly Listener[] {
  if (!decideMetadata(view, config).serve) return []
  const routerId = config.enableMetadataNetwork ? metadataNetworkRouter(view) : undefined
  const stamp = routerId === undefined ? { networkId: view.network.id } : { routerId }
  return metadataAddresses(view, config).map((address) => ({
    address,
    port: METADATA_PORT,
    device: address === METADATA_IPV6 ? device.name : null,
    stamp,
  }))
}
