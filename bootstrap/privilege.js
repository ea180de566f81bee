import { readFileSync } from 'node:fs'

/** The user ids that a usual system has: up to `nobody`. */
const USERS = 65_535

/** Whether we may act as any user. The root of a plain user's sandbox may not: its user namespace holds nobody else. */
export function mayBeAnyone() {
  if (process.getuid?.() !== 0) return false
  const [, , count = 0] = readFileSync('/proc/self/uid_map', 'ascii').trim().split(/\s+/).map(Number)
  return count >= USERS
}
