import type { MacAddress } from './address.ts'
import type { NetworkId, PortId, RouterId } from './ids.ts'
import type { FixedIp } from './port.ts'

/** What a router had on a network until it was detached, went down or was deleted. Guests send to these addresses what
 *  they ask 169.254.169.254 until they renew their leases. */
export interface FormerInterface {
  /** Of the port, which may be there no more. */
  readonly id: PortId
  /** The same of the router. */
  readonly routerId: RouterId
  readonly networkId: NetworkId
  readonly macAddress: MacAddress
  readonly fixedIps: readonly FixedIp[]
  /** Seconds since 1970. */
  readonly detachedAt: number
}
