import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { checked, errno, flock, mount, setns, unshare } from './libc.ts'

/** Where `ip netns` keeps names: a file each, on which the namespace is mounted. */
export const NETNS_DIRECTORY = '/run/netns'

export function netnsPath(name: string): string {
  return `${NETNS_DIRECTORY}/${name}`
}

const CLONE_NEWNET = 0x4000_0000 // linux/sched.h
const OWN_NETNS = '/proc/thread-self/ns/net'

/** What may be done inside a namespace: nothing that goes on after it has returned. */
type Synchronous<T> = T extends PromiseLike<unknown> ? never : T

/**
 * Runs a synchronous function in another network namespace.
 *
 * Sockets it opens and programs it starts stay there. It must start no thread (a first use of libuv's pool would stay
 * there too) and nothing asynchronous: only this thread is inside, and only until the function returns.
 *
 * When the way back fails the process ends at once: whatever it did next would happen to somebody else's network.
 *
 * @throws Error of open(2) or setns(2), or whatever `act` throws
 */
export function inNamespace<T>(path: string, act: () => Synchronous<T>): T {
  const home = openSync(OWN_NETNS, 'r')
  try {
    const there = openSync(path, 'r')
    try {
      checked(setns(there, CLONE_NEWNET), `entering ${path}`)
    } finally {
      closeSync(there)
    }
    try {
      return act()
    } finally {
      if (setns(home, CLONE_NEWNET) === -1) die(path)
    }
  } finally {
    closeSync(home)
  }
}

/** Makes a namespace that has no name. @returns a descriptor of it: with the last one it goes, and all its devices with it */
export function newNamespace(): number {
  const home = openSync(OWN_NETNS, 'r')
  try {
    checked(unshare(CLONE_NEWNET), 'making a network namespace')
    try {
      return openSync(OWN_NETNS, 'r')
    } finally {
      if (setns(home, CLONE_NEWNET) === -1) die('just made')
    }
  } finally {
    closeSync(home)
  }
}

/** Makes a namespace and gives it a name that is free, as `ip netns add` does. The directory of names has to be there.
 *  @throws Error with `code` (`EEXIST`) */
export function nameNamespace(name: string): void {
  shareNames()
  const path = netnsPath(name)
  closeSync(openSync(path, 'wx', 0o000))
  try {
    const fd = newNamespace()
    try {
      checked(mount(`/proc/self/fd/${fd}`, path, 'none', MS_BIND, null), `naming the network namespace ${name}`)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  }
}

// linux/mount.h
const MS_BIND = 0x1000
const MS_REC = 0x4000
const MS_SHARED = 0x10_0000
const EINVAL = 22
const LOCK_EX = 2 // flock(2)

/**
 * Names given here are seen in all mount namespaces that have this directory from us, and taken back in all of them: else
 * a service with mounts of its own would keep namespaces alive that `ip netns delete` has taken the name of.
 *
 * Under the lock that ip(8) takes for the same: two at once would mount the directory over itself twice, and each that
 * comes later over both.
 */
function shareNames(): void {
  const share = () => mount('', NETNS_DIRECTORY, 'none', MS_SHARED | MS_REC, null)
  const lock = openSync(NETNS_DIRECTORY, 'r')
  try {
    checked(flock(lock, LOCK_EX), `locking ${NETNS_DIRECTORY}`)
    if (share() === 0) return
    if (errno() !== EINVAL) checked(-1, `sharing ${NETNS_DIRECTORY}`)
    // It is no mount point yet.
    checked(mount(NETNS_DIRECTORY, NETNS_DIRECTORY, 'none', MS_BIND | MS_REC, null), `mounting ${NETNS_DIRECTORY}`)
    checked(share(), `sharing ${NETNS_DIRECTORY}`)
  } finally {
    closeSync(lock)
  }
}

function die(path: string): never {
  writeSync(2, `firstboot: cannot leave the network namespace ${path}; ending before harm is done\n`)
  process.abort()
}

const NSFS_MAGIC = 0x6e73_6673 // linux/magic.h

/**
 * Identifies the namespace behind a name, for as long as somebody holds it.
 * @returns undefined when there is no such name, or the file is no namespace (its mount is gone after a restart)
 */
export function netnsInode(path: string): number | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined || statfsSync(path).type !== NSFS_MAGIC) return undefined
  return stat.ino
}
