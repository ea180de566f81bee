import { globSync, readFileSync } from 'node:fs'

/** What a process has used and what it holds, as the kernel accounts it. */

/** proc(5) counts in hundredths of a second on every architecture that Node runs on. */
const MICROSECONDS_PER_TICK = 10_000

/** CPU time of a process and of those it started that still run, so far: in user space and in the kernel on their behalf.
 *  Steps of 10 ms each. */
export function cpuMicroseconds(pid: number): number {
  return family(pid).reduce((sum, member) => sum + ownCpuMicroseconds(member), 0)
}

function family(pid: number): readonly number[] {
  const children = globSync(`/proc/${pid}/task/*/children`).flatMap((path) => readFileSync(path, 'ascii').split(' '))
  return [pid, ...children.filter((child) => child !== '').flatMap((child) => family(Number(child)))]
}

function ownCpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, in parentheses, may hold anything; behind it the state is field 3, utime and stime are 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[14 - 3]) + Number(fields[15 - 3])) * MICROSECONDS_PER_TICK
}

/** Proportional set size in KiB, of a process and of those it started: private pages whole, shared ones divided by the number of processes that share them, so
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
