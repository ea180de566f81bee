import { readdirSync, readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

/** What this process takes of the machine now, under the names of `METRICS`. Read when somebody asks; costs about 0.1 ms. */
export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage()
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    openDescriptors: countDescriptors(),
    maxDescriptors: MAX_DESCRIPTORS,
    started: STARTED,
  }
}

export interface ProcessUsage {
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** NaN where the system does not tell. */
  readonly openDescriptors: number
  readonly maxDescriptors: number
  readonly started: number
}

const STARTED = performance.timeOrigin / 1000
const MAX_DESCRIPTORS = readLimit()

function countDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length - 1 // the one that reads the directory
  } catch {
    return Number.NaN
  }
}

function readLimit(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'ascii')
    return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.NaN)
  } catch {
    return Number.NaN
  }
}

/** @returns the part of the time since it was last called in which the event loop was busy */
export function loopUtilization(): () => number {
  let before = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    return utilization
  }
}
