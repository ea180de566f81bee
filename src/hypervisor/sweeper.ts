import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { machineFiles, machineFolders } from '../host/machine-files.ts'
import type { Inventory, InventoryStore } from '../inventory/store.ts'
import type { Log } from '../observe/log.ts'
import type { Keeper } from './keeper.ts'

/**
 * Takes away disks and config drives of servers that were removed while nobody ran them: of a machine that runs, or was not
 * yet stopped, its hypervisor's own keeper does. Looks at the start and at every change of the servers.
 *
 * Only what this inventory knows to have been removed goes. One that was made anew, or restored from a backup, has not heard
 * of servers whose disks are here, and those may be all that is left of them.
 *
 * @param machines  the folder of all machines
 */
export function sweepMachines(
  inventory: Pick<Inventory, 'ready' | 'onChange'>,
  store: Pick<InventoryStore, 'deletedAmong'>,
  machines: string,
  log: Log,
): Keeper {
  let isClosed = false
  let last = Promise.resolve()
  const sweep = async () => {
    await inventory.ready
    // One with a record was started and not yet stopped, by whichever version of us wrote it.
    const left = machineFolders(machines).filter((id) => !existsSync(machineFiles(machines, id).record))
    if (isClosed || left.length === 0) return
    const removed = await store.deletedAmong('server', left)
    for (const id of left.filter((each) => removed.has(each))) {
      await rm(machineFiles(machines, id).folder, { recursive: true, force: true })
      log.info({ instance: id }, 'removed what was left of an instance that was removed from the inventory')
    }
  }
  const look = () => {
    last = last
      .then(sweep)
      .catch((error: unknown) => log.error({ err: error }, 'removing what is left of former instances failed'))
  }
  const unfollow = inventory.onChange((nouns) => nouns.has('server') && look())
  const close = () => {
    isClosed = true
    unfollow()
  }
  return {
    look: async () => look(), // nobody has to wait for it
    close,
    stopAll: async () => close(),
  }
}
