import type { Device, Listener, Route } from '../../host/namespace.ts'
import { contains, type IpAddress, ipVersion, prefixLength } from '../../inventory/records/address.ts'
import { bridgeName } from '../../inventory/records/network.ts'
import type { Planned } from '../decision.ts'
import { EVERYWHERE } from '../metadata-address.ts'
import { proxyOf } from '../proxy.ts'
import type { RouterConfig } from './config.ts'
import { routerFirewall } from './firewall.ts'
import { radvdOf } from './radvd.ts'
import type { Interface, RouterView } from './router-view.ts'

export const ROUTER_PREFIX = 'qrouter-'

/** `arp_ignore` and `arp_announce` keep one network's addresses out of the answers on another. The `_notify` settings let
 *  neighbours hear of new addresses, of which Neutron's agents tell them with arping. */
export const ROUTER_SYSCTLS = {
  'net.ipv4.ip_forward': '1',
  'net.ipv4.ip_nonlocal_bind': '0',
  'net.ipv4.conf.all.arp_ignore': '1',
  'net.ipv4.conf.all.arp_announce': '2',
  'net.ipv4.conf.all.arp_notify': '1',
} as const
export const ROUTER_SYSCTLS_IPV6 = {
  'net.ipv6.conf.all.forwarding': '1',
  'net.ipv6.conf.default.ndisc_notify': '1',
} as const

/**
 * What the L3 agent keeps for one router on this machine. Pure.
 *
 * One that is deleted or down has a namespace as long as it has former interfaces: guests hold a route by them.
 */
export function routerNamespace(view: RouterView, config: RouterConfig): Planned {
  const { id, router } = view
  const netns = `${ROUTER_PREFIX}${id}`
  const decide = (answers: boolean, because: string) => ({
    netns,
    path: 'router' as const,
    id,
    name: router?.name ?? '',
    answers,
    sendsGuests: answers && router !== undefined,
    because,
  })
  const isNeeded = router !== undefined || (config.enableMetadataProxy && view.interfaces.length > 0)
  if (!isNeeded) return { namespace: undefined, decision: decide(false, 'the router is down') }
  const devices = [...view.interfaces, ...(view.gateway === undefined ? [] : [view.gateway])]
  const listeners = config.enableMetadataProxy ? [listenerOf(view, config)] : []
  const proxy = proxyOf(id, listeners, config)
  const radvd = radvdOf(view, config)
  return {
    namespace: {
      name: netns,
      sysctls: { ...ROUTER_SYSCTLS, ...(config.hasIpv6 ? ROUTER_SYSCTLS_IPV6 : {}) },
      devices: devices.map((each) => deviceOf(each, each === view.gateway ? view.floatingIps : [])),
      routes: routesOf(view),
      firewall: routerFirewall(view, config),
      listeners: proxy.listeners,
      programs: [...proxy.programs, ...(radvd === undefined ? [] : [radvd])],
    },
    decision: decide(config.enableMetadataProxy, reason(view, config)),
  }
}

function reason({ router, interfaces }: RouterView, { enableMetadataProxy }: RouterConfig): string {
  const formers = interfaces.filter(({ isFormer }) => isFormer).map(({ device }) => device)
  const held = `guests may still send to ${formers.join(', ')}, which ${formers.length === 1 ? 'was' : 'were'} detached`
  if (!enableMetadataProxy) return 'enable_metadata_proxy is off'
  if (router === undefined) return `the router is gone or down; ${held}`
  return formers.length === 0 ? 'the router is up' : `the router is up; ${held}`
}

function listenerOf({ id }: RouterView, { hasIpv6, metadataPort }: RouterConfig): Listener {
  const address = (hasIpv6 ? '::' : '0.0.0.0') as IpAddress
  return { address, port: metadataPort, device: null, stamp: { routerId: id } }
}

function deviceOf(each: Interface, floatingIps: RouterView['floatingIps']): Device {
  const { device: name, peer, macAddress: mac, network, addresses } = each
  return {
    name,
    peer,
    bridge: bridgeName(network.id),
    mac,
    mtu: network.mtu,
    addresses: [
      ...addresses.map(({ address, subnet }) => `${address}/${prefixLength(subnet.cidr)}`),
      ...floatingIps.map(({ floating }) => `${floating}/32`),
    ],
  }
}

/** The default route of each family by the external gateway, and the router's own routes. One whose next hop is on no
 *  subnet of the router cannot be set, as in Neutron, whose API refuses it. */
function routesOf({ router, interfaces, gateway }: RouterView): readonly Route[] {
  const attached = interfaces.filter(({ isFormer }) => !isFormer)
  const defaults = (gateway?.addresses ?? []).flatMap(({ subnet }): Route[] =>
    gateway === undefined || subnet.gatewayIp === null
      ? []
      : [{ destination: EVERYWHERE[subnet.ipVersion], gateway: subnet.gatewayIp, device: gateway.device }],
  )
  const extra = (router?.routes ?? []).flatMap(({ destination, nexthop }): Route[] => {
    const by = [...attached, ...(gateway === undefined ? [] : [gateway])].find(({ addresses }) =>
      addresses.some(({ subnet }) => ipVersion(nexthop) === subnet.ipVersion && contains(subnet.cidr, nexthop)),
    )
    return by === undefined ? [] : [{ destination, gateway: nexthop, device: by.device }]
  })
  // The first of each destination: the gateway's before the router's own.
  return [...new Map([...defaults, ...extra].reverse().map((route) => [route.destination, route])).values()].reverse()
}
