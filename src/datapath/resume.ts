import type { Command, ObservedNamespace } from '../host/host.ts'
import { type Listener, listenerKey } from '../host/namespace.ts'
import type { IpAddress } from '../inventory/records/address.ts'
import type { NetworkId, RouterId } from '../inventory/records/ids.ts'
import type { DatapathConfig } from './config.ts'
import { DHCP_PREFIX } from './dhcp/namespace.ts'
import { METADATA_IPV4, METADATA_IPV6, METADATA_PORT } from './metadata-address.ts'
import { OVN_PREFIX, type OvnConfig } from './ovn/namespace.ts'
import { ROUTER_PREFIX } from './router/namespace.ts'

/**
 * What can be served again before anything is known: an earlier run left the namespace with the metadata address in it, or
 * with rules that lead there, and its name says which network or router asks. Guests are then held for the answer instead
 * of being refused. Whether it is still to be served is the first pass's to decide. Pure.
 */
export function resumedListeners(observed: ObservedNamespace, config: DatapathConfig): readonly Command[] {
  // A haproxy has run on all the time.
  if (config.metadataProxyDriver !== 'native') return []
  return opening(observed, listenersLeft(observed, config))
}

/** The same in the namespaces of OVN's networks. Pure. */
export function resumedOvnListeners(
  observed: ObservedNamespace,
  { metadataProxyDriver }: Pick<OvnConfig, 'metadataProxyDriver'>,
): readonly Command[] {
  if (metadataProxyDriver !== 'native') return []
  return opening(observed, listenersOnDevices(observed, OVN_PREFIX))
}

function opening({ name: netns, listening }: ObservedNamespace, left: readonly Listener[]): readonly Command[] {
  return left
    .filter((listener) => !listening.has(listenerKey(listener)))
    .map((listener) => ({ kind: 'listener-open', netns, listener }))
}

function listenersLeft(observed: ObservedNamespace, config: DatapathConfig): readonly Listener[] {
  const { name, devices } = observed
  if (name.startsWith(ROUTER_PREFIX)) {
    if (!config.enableMetadataProxy || devices.length === 0) return []
    const stamp = { routerId: name.slice(ROUTER_PREFIX.length) as RouterId }
    const address = (config.hasIpv6 ? '::' : '0.0.0.0') as IpAddress
    return [{ address, port: config.metadataPort, device: null, stamp }]
  }
  return listenersOnDevices(observed, DHCP_PREFIX)
}

function listenersOnDevices({ name, devices }: ObservedNamespace, prefix: string): readonly Listener[] {
  if (!name.startsWith(prefix)) return []
  const stamp = { networkId: name.slice(prefix.length) as NetworkId }
  return devices.flatMap(({ name: device, addresses }) =>
    addresses.flatMap((address): Listener[] => {
      if (address.startsWith(`${METADATA_IPV4}/`))
        return [{ address: METADATA_IPV4, port: METADATA_PORT, device: null, stamp }]
      if (address.startsWith(`${METADATA_IPV6}/`))
        return [{ address: METADATA_IPV6, port: METADATA_PORT, device, stamp }]
      return []
    }),
  )
}
