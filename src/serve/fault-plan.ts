import { fitsPath } from '../guest-clients/path-pattern.ts'
import type { Fault } from './fault.ts'

/** Counts one request of a guest. @returns what is to go wrong with it */
export type FaultPlan = (guest: string, path: string) => Fault | undefined

/** Each guest is counted by itself, each fault too; of those that apply, the one that was named first happens. */
export function faultPlan(faults: readonly Fault[]): FaultPlan {
  const counts = faults.map(() => new Map<string, number>())
  return (guest, path) => {
    const due = faults.filter((fault, i) => {
      if (!fitsPath(fault.path, path)) return false
      const count = (counts[i]?.get(guest) ?? 0) + 1
      counts[i]?.set(guest, count)
      return fault.isTurn(count)
    })
    return due[0]
  }
}
