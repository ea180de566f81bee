import { createHash } from 'node:crypto'
import type { MacAddress } from '../../inventory/records/address.ts'
import type { NetworkId, RouterId } from '../../inventory/records/ids.ts'

/** What ML2/OVN calls things in OVN's databases. */

export function switchName(network: NetworkId): string {
  return `neutron-${network}`
}

export function routerName(router: RouterId): string {
  return `neutron-${router}`
}

/** @param port  its name as a port of the switch: the port's id, or a router's for its gateway, which is no port in the inventory */
export function routerPortName(port: string): string {
  return `lrp-${port}`
}

/** Neutron has the id of a segment in it, of which a network here has one. */
export function localnetName(network: NetworkId): string {
  return `provnet-${network}`
}

/** A MAC under Neutron's `base_mac` for what is no port in the inventory; always the same for the same id. */
export function macOf(id: string): MacAddress {
  const [a, b, c] = createHash('sha256').update(id).digest()
  return ['fa:16:3e', ...[a, b, c].map((byte) => (byte ?? 0).toString(16).padStart(2, '0'))].join(':') as MacAddress
}
