import { setTimeout as pause } from 'node:timers/promises'
import { acquireLock, LockTaken } from '../../src/host/lock.ts'

/** Test files that make namespaces and bridges in the suite's own sandbox go one after the other: names of networks and
 *  routers, and what is swept, are the machine's. Held until this process ends. */
export async function kernelTurn(): Promise<void> {
  if (process.env['FIRSTBOOT_SANDBOX'] !== '1') return
  for (;;) {
    try {
      acquireLock('/run/firstboot-kernel-tests')
      return
    } catch (error) {
      if (!(error instanceof LockTaken)) throw error
      await pause(100)
    }
  }
}
