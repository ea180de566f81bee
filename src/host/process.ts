import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { errorCode } from './errors.ts'

/** A process, told from a later one of the same number by when it started. */
export interface ProcessId {
  readonly pid: number
  /** Clock ticks since the machine started, as proc_pid_stat(5) has it. */
  readonly startTime: string
}

/** @returns undefined when there is no such process, or only its zombie */
export function processId(pid: number): ProcessId | undefined {
  const stat = readStat(pid)
  return stat && { pid, startTime: stat.startTime }
}

/** @returns undefined when there is no such process, or only its zombie */
function readStat(pid: number): { readonly parent: number; readonly startTime: string } | undefined {
  const stat = readProcess(pid, 'stat')
  // The name, in parentheses, may hold anything; behind it are blank-separated fields, the state being the third of all.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, parent, threads, startTime] = [fields?.[0], fields?.[4 - 3], fields?.[20 - 3], fields?.[22 - 3]]
  if (state === undefined || startTime === undefined || state === 'X') return undefined
  // The first thread may be a zombie while others still hold the process's sockets.
  if (state === 'Z' && threads === '1') return undefined
  return { parent: Number(parent), startTime }
}

export function isAlive({ pid, startTime }: ProcessId): boolean {
  return processId(pid)?.startTime === startTime
}

/** Whether there is a process of this number: perhaps a zombie, or another by now. Costs next to nothing. */
export function isThere({ pid }: ProcessId): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return errorCode(error) !== 'ESRCH'
  }
}

export interface ProcessInfo extends ProcessId {
  readonly parent: number
  readonly arguments: readonly string[]
  readonly netnsInode: number
}

/** Every living process whose command line can be read. */
export function listProcesses(isWanted: (args: readonly string[]) => boolean): readonly ProcessInfo[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).flatMap((pid) => {
    const args = readProcess(pid, 'cmdline')?.split('\0').slice(0, -1) ?? []
    const stat = isWanted(args) ? readStat(pid) : undefined
    const netnsInode = stat && netnsOf(pid)
    return stat === undefined || netnsInode === undefined ? [] : [{ pid, ...stat, arguments: args, netnsInode }]
  })
}

/**
 * Whether a process lives in the same namespaces as we. One of a container does not, and paths among its arguments are not
 * ours, whatever they are.
 * @returns false also where that may not be known
 */
export function sharesNamespaces({ pid }: ProcessId, kinds: readonly ('mnt' | 'pid' | 'ipc')[]): boolean {
  try {
    return kinds.every((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`) === readlinkSync(`/proc/self/ns/${kind}`))
  } catch {
    return false
  }
}

/** The inode of the network namespace it is in. */
export function netnsOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}/ns/net`).ino
  } catch {
    return undefined // it has ended meanwhile
  }
}

function readProcess(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}

/** Does nothing to a process that is gone. */
export function signalProcess(id: ProcessId, signal: NodeJS.Signals): void {
  if (!isAlive(id)) return
  try {
    process.kill(id.pid, signal)
  } catch (error) {
    if (errorCode(error) !== 'ESRCH') throw error
  }
}

const TERM_MILLISECONDS = 5_000
const KILL_MILLISECONDS = 5_000
const POLL_MILLISECONDS = { first: 10, longest: 500 }

export interface Ending {
  /** What it is asked with. */
  readonly signal?: NodeJS.Signals
  readonly patienceMilliseconds?: number
  /** Whether our process stays for it. */
  readonly ref?: boolean
}

/** SIGTERM, and SIGKILL to one that does not listen. Resolves when it is gone. Works for processes that are no children
 *  of ours, which tell nobody when they end. */
export async function endProcess(
  id: ProcessId,
  { signal = 'SIGTERM', patienceMilliseconds = TERM_MILLISECONDS, ref = true }: Ending = {},
): Promise<void> {
  signalProcess(id, signal)
  if (await isGoneWithin(id, patienceMilliseconds, ref)) return
  signalProcess(id, 'SIGKILL')
  await isGoneWithin(id, KILL_MILLISECONDS, ref)
}

/** Looks the more rarely the longer it takes. @returns whether the process was gone when the time was up */
export async function isGoneWithin(id: ProcessId, milliseconds: number, ref = true): Promise<boolean> {
  const start = performance.now()
  while (isAlive(id)) {
    const waited = performance.now() - start
    if (waited > milliseconds) return false
    await delay(Math.min(Math.max(POLL_MILLISECONDS.first, waited / 10), POLL_MILLISECONDS.longest), undefined, { ref })
  }
  return true
}
