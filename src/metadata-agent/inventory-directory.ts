import { held } from '../http/errors.ts'
import type { Inventory } from '../inventory/store.ts'
import type { PortDirectory } from './port-directory.ts'

/** The ports of our own inventory, answered from memory. */
export function inventoryDirectory(inventory: Inventory): PortDirectory {
  return {
    find: async (within, client) => {
      await held(inventory.ready)
      return inventory.ports(within, client)
    },
  }
}
