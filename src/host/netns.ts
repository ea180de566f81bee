import { closeSync, openSync, statfsSync, statSync, writeSync } from 'node:fs'
import { checked, setns, unshare } from './libc.ts'

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
