import type { Command, ObservedNamespace } from '../../host/host.ts'
import { type Listener, listenerKey } from '../../host/namespace.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import { DHCP_PREFIX, METADATA_IPV4, METADATA_IPV6, METADATA_PORT } from './namespace.ts'

/**
 * What can be served again before anything is known: an earlier run left the namespace with the metadata address in it,
 * and its name says which network asks there. Guests are then held for the answer instead of being refused. Whether the
 * network is still to be served is the first pass's to decide. Pure.
 */
export function resumedListeners(observed: ObservedNamespace): readonly Command[] {
  if (!observed.name.startsWith(DHCP_PREFIX)) return []
  const stamp = { networkId: observed.name.slice(DHCP_PREFIX.length) as NetworkId }
  const listeners = observed.devices.flatMap(({ name, addresses }) =>
    addresses.flatMap((address): Listener[] => {
      if (address.startsWith(`${METADATA_IPV4}/`))
        return [{ address: METADATA_IPV4, port: METADATA_PORT, device: null, stamp }]
      if (address.startsWith(`${METADATA_IPV6}/`))
        return [{ address: METADATA_IPV6, port: METADATA_PORT, device: name, stamp }]
      return []
    }),
  )
  return listeners
    .filter((listener) => !observed.listening.has(listenerKey(listener)))
    .map((listener) => ({ kind: 'listener-open', netns: observed.name, listener }))
}
