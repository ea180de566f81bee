import type { IpAddress, MacAddress } from '../inventory/records/address.ts'
import type { NetworkId, RouterId } from '../inventory/records/ids.ts'
import type { Port } from '../inventory/records/port.ts'

/** Where a request came from: the network of a DHCP or OVN namespace, or the networks of a router. */
export type Within = { readonly networkId: NetworkId } | { readonly routerId: RouterId }

/** Who sent it. A link-local address says nothing about the fixed IP, so such a client is asked for by its MAC. */
export type Client = { readonly fixedIp: IpAddress } | { readonly mac: MacAddress }

/** What has to be known of a port to say who asks. */
export type FoundPort = Pick<Port, 'id' | 'networkId' | 'projectId' | 'deviceId' | 'deviceOwner'>

/** Finds the ports that can be behind a request. */
export interface PortDirectory {
  /** Every match, whatever owns it. A router without interfaces has no ports behind it: nothing is found, and the
   *  search is never widened.
   *  @throws NotReady while the directory does not know yet */
  find(within: Within, client: Client): Promise<readonly FoundPort[]>
}
