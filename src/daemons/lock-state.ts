import { acquireLock, LockTaken } from '../host/lock.ts'
import type { StateDirectory } from './state-directory.ts'

/** One owner for what a state directory describes. @returns what gives it back
 *  @throws Error naming the process that has it */
export function lockState(state: StateDirectory, who: string): () => void {
  try {
    return acquireLock(state.lock)
  } catch (error) {
    if (!(error instanceof LockTaken)) throw error
    const isKnown = !Number.isNaN(error.pid)
    const holder = isKnown ? `process ${error.pid}` : 'a process that is just starting'
    const stop = isKnown ? `Stop it (kill ${error.pid})` : 'Stop it'
    throw new Error(`${holder} already runs on ${state.path}. ${stop} or give ${who} another --state-dir.`)
  }
}
