import type { Clock } from '../../src/ovsdb/ovsdb.ts'

/** Pauses of seconds in hundredths of them. */
export const quick: Clock = {
  now: () => performance.now(),
  after(milliseconds, call) {
    const timer = setTimeout(call, milliseconds / 100)
    return () => clearTimeout(timer)
  },
}
