import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { HostError } from './errors.ts'
import { ipBatch } from './iproute.ts'
import { raiseLoopback } from './link-changes.ts'
import { MARK } from './mark.ts'
import { inNamespace, NETNS_DIRECTORY, netnsPath } from './netns.ts'

/** The host's users that those of a guest are, from root on. No account has such numbers: systemd leaves them free. */
const GUEST_IDS = { first: 2_000_000_000, count: 65_536 }

/** Who a guest's root is on this host. */
export interface GuestOwner {
  readonly uid: number
  readonly gid: number
}

/** Where this process may name any user a guest's root is nobody; in a user namespace of one user it is that one, who is
 *  an ordinary user of the host. */
export function guestOwner(): GuestOwner {
  return { uid: idMap('uid').first, gid: idMap('gid').first }
}

/**
 * Makes a user namespace and, owned by it, a network namespace with `lo` up: whoever is root in there may do anything to
 * its own network and nothing to the host's.
 *
 * @param name  of the network namespace; there must be none
 * @returns a descriptor of the user namespace, for the caller to close
 * @throws HostError when the kernel refuses
 */
export async function addGuestNamespaces(name: string): Promise<number> {
  // It tells when it is there, and stays until we hang up or die. Descriptors and the name keep what it made.
  // Ctrl-C at our terminal is not for it.
  const holding = ['--user', '--net', '--', '/bin/sh', '-c', 'echo ready; exec cat']
  const holder = spawn('unshare', holding, { stdio: 'pipe', detached: true })
  try {
    const pid = await readyPid(holder)
    for (const kind of ['uid', 'gid'] as const) {
      const { first, count } = idMap(kind)
      writeFileSync(`/proc/${pid}/${kind}_map`, `0 ${first} ${count}`)
    }
    mkdirSync(NETNS_DIRECTORY, { recursive: true, mode: 0o755 })
    rmSync(netnsPath(name), { force: true })
    await ipBatch([['netns', 'attach', name, `${pid}`]])
    inNamespace<void>(netnsPath(name), () => raiseLoopback(MARK))
    return openSync(`/proc/${pid}/ns/user`, 'r')
  } finally {
    holder.stdin.end()
  }
}

/** Whether a process of a guest is there as the very user we are: then its credentials need no change on entering. */
export function sharesOurUser(pid: number): boolean {
  return /^\s*0\s+0\s/.test(readFileSync(`/proc/${pid}/uid_map`, 'ascii'))
}

async function readyPid(holder: ChildProcess): Promise<number> {
  const ended = once(holder, 'close').then(() => undefined) // rejects when it cannot be started
  const complaint = holder.stderr ? text(holder.stderr) : ''
  holder.stdin?.on('error', () => undefined)
  const ready = await Promise.race([holder.stdout && once(holder.stdout, 'data'), ended])
  if (ready !== undefined && holder.pid !== undefined) return holder.pid
  throw new HostError(`no user namespace can be made: ${(await complaint).trim()}`)
}

function idMap(kind: 'uid' | 'gid'): { readonly first: number; readonly count: number } {
  const ranges = readFileSync(`/proc/self/${kind}_map`, 'ascii').trim().split('\n')
  const end = GUEST_IDS.first + GUEST_IDS.count
  const hasAll = ranges.some((range) => {
    const [inside = 0, , count = 0] = range.trim().split(/\s+/).map(Number)
    return inside <= GUEST_IDS.first && end <= inside + count
  })
  return hasAll ? GUEST_IDS : { first: 0, count: 1 }
}
