import type { IpAddress, MacAddress } from '../inventory/records/address.ts'
import type { NetworkId, RouterId } from '../inventory/records/ids.ts'
import type { Port } from '../inventory/records/port.ts'

/** Where a request came from: the network of a DHCP or OVN namespace, or the networks of a router. */
export type Within = { readonly networkId: NetworkId } | { readonly routerId: RouterId }

/** Who sent it. A link-local address says nothing about the fixed IP, so such a client is asked for by its MAC. */
export type Client = { readonly fixedIp: IpAddress } | { readonly mac: MacAddress }

/** What the agent has to know of a port. */
export type FoundPort = Pick<Port, 'id' | 'networkId' | 'projectId' | 'deviceId' | 'deviceOwner'>

/** How much an answer is worth: one kept from before will do, or it has to be asked for. */
export type Freshness = 'kept' | 'new'

/** Finds the ports that can be behind a request. */
export interface PortDirectory {
  /** Every match, whatever owns it. A router without interfaces has no ports behind it: nothing is found, and the
   *  search is never widened. An address in a subnet that the router does not serve is nobody's behind it.
   *  @param freshness  `kept` when left out; then nothing found has been asked for all the same
   *  @throws NotReady while the directory does not know yet; DirectoryUnavailable when it cannot be asked */
  find(within: Within, client: Client, freshness?: Freshness): Promise<readonly FoundPort[]>
  /** The ports whose allowed address pairs name just this address (not a range it is in). Left out by directories that
   *  know of no pairs. */
  findByAddressPair?(within: Within, address: IpAddress, freshness?: Freshness): Promise<readonly FoundPort[]>
  /** The MAC addresses with which neighbours said that a link-local address is theirs, in the namespace the request came
   *  through; several where a router has several links. Left out where no neighbour table can be read.
   *  @returns undefined when there is none for this place, or it cannot be read */
  heardAs?(within: Within, address: IpAddress): Promise<readonly MacAddress[] | undefined>
  /** Lets go of connections. */
  close?(): Promise<void>
}
