import { type Bridge, type Device, type Listener, NO_FIREWALL, type Route } from '../../host/namespace.ts'
import { type IpAddress, prefixLength } from '../../inventory/records/address.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import { bridgeName, type Network } from '../../inventory/records/network.ts'
import { type Port, tapName } from '../../inventory/records/port.ts'
import type { Planned } from '../decision.ts'
import { EVERYWHERE, METADATA_IPV4, METADATA_IPV6, METADATA_PORT } from '../metadata-address.ts'
import { proxyOf } from '../proxy.ts'
import type { DhcpConfig } from './config.ts'
import { dnsmasqOf } from './dnsmasq.ts'
import { decideMetadata } from './metadata-decision.ts'
import { metadataNetworkRouter, type NetworkView, ovnMetadataPort } from './network-view.ts'
import { defaultGateway } from './options.ts'

export const DHCP_PREFIX = 'qdhcp-'

/** Set before the device comes, which takes its settings from `default`. `ip_nonlocal_bind` serves a proxy that is a
 *  program of its own; `promote_secondaries` keeps an address when one of the same range goes. The `_notify` settings let neighbours hear of
 *  new addresses, of which Neutron's agents tell them with arping. */
export const DHCP_SYSCTLS = {
  'net.ipv4.ip_nonlocal_bind': '1',
  'net.ipv4.conf.all.promote_secondaries': '1',
  'net.ipv4.conf.all.arp_notify': '1',
} as const
export const DHCP_SYSCTLS_IPV6 = {
  'net.ipv6.conf.default.accept_ra': '0',
  'net.ipv6.conf.default.ndisc_notify': '1',
} as const

export function bridgeOf({ id, mtu }: Pick<Network, 'id' | 'mtu'>): Bridge {
  return { name: bridgeName(id), mtu }
}

export function dhcpNamespaceName(networkId: NetworkId): string {
  return `${DHCP_PREFIX}${networkId}`
}

/**
 * What the DHCP agent keeps for one network on this machine. Pure.
 *
 * The namespace answers for metadata wherever it has the metadata address, also where guests are sent to a router: they
 * hold the route they were given until they renew their leases.
 */
export function dhcpNamespace(view: NetworkView, config: DhcpConfig): Planned {
  const { network, dhcpPort } = view
  const netns = dhcpNamespaceName(network.id)
  const decided = decideMetadata(view, config)
  const decision = { netns, path: 'dhcp' as const, id: network.id, name: network.name }
  const obstacle = OBSTACLES.find(({ holds }) => holds(view))
  if (obstacle !== undefined || dhcpPort === undefined) {
    const because = obstacle?.because ?? ''
    return { namespace: undefined, decision: { ...decision, answers: false, sendsGuests: false, because } }
  }
  const device = dhcpDevice(view, dhcpPort, bridgeOf(network), config)
  const sockets = listeners(view, device, config)
  const proxy = proxyOf(network.id, sockets, config)
  return {
    namespace: {
      name: netns,
      sysctls: { ...DHCP_SYSCTLS, ...(config.hasIpv6 ? DHCP_SYSCTLS_IPV6 : {}) },
      devices: [device],
      routes: defaultRoutes(view, device),
      firewall: NO_FIREWALL,
      listeners: proxy.listeners,
      programs: [...proxy.programs, dnsmasqOf(view, config)],
    },
    decision: { ...decision, ...decided, answers: sockets.length > 0 },
  }
}

interface Obstacle {
  readonly holds: (view: NetworkView) => boolean
  readonly because: string
}

/** Why there is no namespace: the first that holds. */
const OBSTACLES: readonly Obstacle[] = [
  { holds: ({ network }) => !network.adminStateUp, because: 'the network is down' },
  { holds: ({ subnets }) => subnets.length === 0, because: 'the network has no subnet' },
  { holds: ({ subnets }) => !subnets.some(({ enableDhcp }) => enableDhcp), because: 'no subnet has DHCP' },
  { holds: ({ dhcpPort }) => dhcpPort === undefined, because: 'the network has no DHCP port' },
  { holds: ({ dhcpPort }) => dhcpPort?.adminStateUp === false, because: 'the DHCP port is down' },
]

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

/** They are there while the options allow metadata here at all, also beside a router. */
function metadataAddresses({ subnets }: NetworkView, config: DhcpConfig): readonly IpAddress[] {
  if (!config.forceMetadata && !config.enableIsolatedMetadata) return []
  const hasIpv6 = config.hasIpv6 && subnets.some(({ ipVersion }) => ipVersion === 6)
  return hasIpv6 ? [METADATA_IPV4, METADATA_IPV6] : [METADATA_IPV4]
}

/** By the first gateway of each family, so that dnsmasq can reach the servers it forwards to. */
function defaultRoutes({ subnets, dhcpPort }: NetworkView, { name: device }: Device): readonly Route[] {
  const ours = subnets.filter(({ id }) => dhcpPort?.fixedIps.some(({ subnetId }) => subnetId === id))
  return ([4, 6] as const).flatMap((version) => {
    const gateway = ours
      .filter((subnet) => subnet.ipVersion === version)
      .map(defaultGateway)
      .find((address) => address !== null)
    return gateway === undefined ? [] : [{ destination: EVERYWHERE[version], gateway, device }]
  })
}

function listeners(view: NetworkView, device: Device, config: DhcpConfig): readonly Listener[] {
  // OVN's own namespace answers then.
  if (ovnMetadataPort(view) !== undefined) return []
  const routerId = config.enableMetadataNetwork ? metadataNetworkRouter(view) : undefined
  const stamp = routerId === undefined ? { networkId: view.network.id } : { routerId }
  return metadataAddresses(view, config).map((address) => ({
    address,
    port: METADATA_PORT,
    device: address === METADATA_IPV6 ? device.name : null,
    stamp,
  }))
}
