import { rmSync } from 'node:fs'
import { keptMachine, machineFiles, machineFolders } from '../host/machine-files.ts'
import type { Inventory } from '../inventory/store.ts'
import type { Log } from '../observe/log.ts'
import type { Keeper } from './keeper.ts'

/**
 * Takes away disks and config drives of servers that were removed while nobody ran them: of a machine that runs, or was not
 * yet stopped, its hypervisor's own keeper does. Looks at the start and at every change of the servers.
 *
 * @param machines  the folder of all machines
 */
export function sweepMachines(
  inventory: Pick<Inventory, 'ready' | 'records' | 'sequence' | 'onChange' | 'caughtUp'>,
  machines: string,
  log: Log,
): Keeper {
  let isClosed = false
  const sweep = async () => {
    await inventory.ready
    const found = machineFolders(machines)
    // A folder may be of a server that another process has just added: whoever made it had seen the commit.
    await inventory.caughtUp()
    // Who never wrote an inventory has lost it, or looks at the wrong one.
    if (isClosed || inventory.sequence === 0) return
    for (const id of found) {
      const files = machineFiles(machines, id)
      if (inventory.records.server.has(id) || keptMachine(files) !== undefined) continue
      rmSync(files.folder, { recursive: true, force: true })
      log.info({ instance: id }, 'removed what was left of an instance that is in the inventory no more')
    }
  }
  const look = () => {
    sweep().catch((error) => log.error({ err: error }, 'removing what is left of former instances failed'))
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
