import { readFileSync } from 'node:fs'

/** Beyond it a person would rather have the half of an answer than wait. */
const MOST = 2.5

let measured: number | undefined

/**
 * How many times as long as on an idle machine everything takes here now, 1 to 2.5, learned by how long this process itself
 * had to wait for a processor. Measured once, so that who waited by it also judges by it.
 */
export function slowdown(): number {
  measured ??= slowdownOf(readSchedulerTimes())
  return measured
}

/** What is long enough on an idle machine, as long as it must be on this one. */
export function patience(milliseconds: number): number {
  return Math.round(milliseconds * slowdown())
}

/** @param times  the first two fields of /proc/PID/schedstat: nanoseconds on a processor, and waiting for one */
export function slowdownOf([ran, waited]: readonly [ran: number, waited: number]): number {
  if (ran <= 0) return 1
  return Math.min(Math.max(1, (ran + waited) / ran), MOST)
}

function readSchedulerTimes(): [ran: number, waited: number] {
  try {
    const [ran, waited] = readFileSync('/proc/self/schedstat', 'ascii').split(' ').map(Number)
    return [ran ?? 0, waited ?? 0]
  } catch {
    return [0, 0] // a kernel without scheduler statistics
  }
}
