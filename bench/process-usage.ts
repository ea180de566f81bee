import { globSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { errorCode } from '../src/host/errors.ts'

/** What a process has used and what it holds, as the kernel accounts it. */

/** proc(5) counts in hundredths of a second on every architecture that Node runs on. */
const MICROSECONDS_PER_TICK = 10_000

/** CPU time of a process and of those it started that still run, so far: in user space and in the kernel on their behalf.
 *  Steps of 10 ms each. */
export function cpuMicroseconds(pid: number): number {
  return family(pid).reduce((sum, member) => sum + ticks(member, 14, 15), 0) * MICROSECONDS_PER_TICK
}

/** CPU time of one process as its scheduler counts it, for windows that are too short for steps of 10 ms: in steps of
 *  nanoseconds, over all threads that it has now. */
export function exactCpuMicroseconds(pid: number): number {
  const threads = globSync(`/proc/${pid}/task/*/schedstat`)
  return threads.reduce((sum, path) => sum + Number(readFileSync(path, 'ascii').split(' ', 1)[0]), 0) / 1000
}

/** CPU time of all programs that this process has started and that have ended. Steps of 10 ms. */
export function childrenCpuMicroseconds(): number {
  return ticks(process.pid, 16, 17) * MICROSECONDS_PER_TICK
}

/** CPU time of these processes, and of those they started that have ended. Steps of 10 ms each. */
export function groupCpuMicroseconds(pids: Iterable<number>): number {
  const each = [...pids].map((pid) => whileThere(() => ticks(pid, 14, 15) + ticks(pid, 16, 17)))
  return each.reduce((sum, one) => sum + one, 0) * MICROSECONDS_PER_TICK
}

export function groupPssKibibytes(pids: Iterable<number>): number {
  return [...pids].map((pid) => whileThere(() => ownPssKibibytes(pid))).reduce((sum, one) => sum + one, 0)
}

/** All processes of a PID namespace, of which one is known. */
export function processesBeside(pid: number): ReadonlySet<number> {
  const namespaceOf = (one: number | string) => readlinkSync(`/proc/${one}/ns/pid`)
  const wanted = namespaceOf(pid)
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return new Set(all.map(Number).filter((one) => whileThere(() => Number(namespaceOf(one) === wanted)) === 1))
}

/** @returns 0 of a process that has ended meanwhile */
function whileThere(read: () => number): number {
  try {
    return read()
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return 0
    throw error
  }
}

function family(pid: number): readonly number[] {
  const children = globSync(`/proc/${pid}/task/*/children`).flatMap((path) => readFileSync(path, 'ascii').split(' '))
  return [pid, ...children.filter((child) => child !== '').flatMap((child) => family(Number(child)))]
}

/** utime and stime are 14 and 15 in the numbering of proc(5); those of ended children follow. */
function ticks(pid: number, user: number, system: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, in parentheses, may hold anything; behind it the state is field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[user - 3]) + Number(fields[system - 3])
}

/** Proportional set size in KiB, of a process and of those it started: private pages whole, shared ones divided by the number
 *  of processes that share them, so
 *  that sums over processes are true. */
export function pssKibibytes(pid: number): number {
  return family(pid).reduce((sum, member) => sum + ownPssKibibytes(member), 0)
}

function ownPssKibibytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1])
}

/** What the machine could still give without swapping, in KiB. */
export function availableKibibytes(): number {
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1])
}
