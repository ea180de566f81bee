import { held } from '../http/errors.ts'
import type { Inventory } from '../inventory/store.ts'
import type { Client, PortDirectory, Within } from './port-directory.ts'

/** The field's default (dhcp_lease_duration). */
const LEASE_SECONDS = 86_400

/**
 * The ports of our own inventory, answered from memory. Behind a router are the networks it is attached to, and those it was
 * attached to until lately: their guests send through it until they renew their leases.
 *
 * @param leaseSeconds  how long a lease lasts; -1 is for ever
 */
export function inventoryDirectory(
  inventory: Inventory,
  leaseSeconds: () => number = () => LEASE_SECONDS,
): PortDirectory {
  const look = (within: Within, client: Client) => {
    if ('networkId' in within) return inventory.ports(within, client)
    const lease = leaseSeconds()
    const formerSince = lease === -1 ? 0 : Math.floor(Date.now() / 1_000) - lease
    return inventory.ports({ ...within, formerSince }, client)
  }
  return {
    find: async (within, client) => {
      await held(inventory.ready)
      const found = look(within, client)
      if (found.length > 0) return found
      await held(inventory.caughtUp())
      return look(within, client)
    },
  }
}
