import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, readSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { errorCode } from './errors.ts'
import type { GuestOwner } from './guest-namespaces.ts'
import { runProgram } from './programs.ts'

/** A directory that a guest writes and the host reads: a file system of its own, so that a guest fills only that. */

/** Of everything in it. */
const SIZE = '16m'
/** Of one file, as far as the host reads it: more than any document or user data has. */
const FILE_BYTES = 1_048_576

/** @throws HostError */
export async function mountGuestFiles(path: string, { uid, gid }: GuestOwner): Promise<void> {
  mkdirSync(path, { mode: 0o700 })
  const options = `size=${SIZE},nr_inodes=4096,mode=700,uid=${uid},gid=${gid},nosuid,nodev`
  await runProgram('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path])
}

/** Nothing to do when it is not mounted. @throws HostError */
export async function unmountGuestFiles(path: string): Promise<void> {
  while (isMounted(path)) await runProgram('umount', ['--lazy', path])
}

/** @returns undefined when the guest has left no such regular file, or one of more than 1 MiB */
export function readGuestFile(directory: string, name: string): Buffer | undefined {
  if (name !== basename(name)) return undefined
  try {
    // Neither to be led elsewhere by a link nor to wait for the writer of a FIFO.
    const fd = openSync(`${directory}/${name}`, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    try {
      return fstatSync(fd).isFile() ? readUpTo(fd, FILE_BYTES) : undefined
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    if (NOT_A_FILE.has(errorCode(error) ?? '')) return undefined
    throw error
  }
}

/** None, a symbolic link, a socket or a device. */
const NOT_A_FILE = new Set(['ENOENT', 'ELOOP', 'ENXIO', 'EACCES', 'ENODEV'])

function readUpTo(fd: number, limit: number): Buffer | undefined {
  const bytes = Buffer.alloc(limit + 1)
  let length = 0
  for (let read = -1; read !== 0 && length <= limit; length += read)
    read = readSync(fd, bytes, length, bytes.length - length, null)
  return length > limit ? undefined : bytes.subarray(0, length)
}

function isMounted(path: string): boolean {
  const here = lstatSync(path, { throwIfNoEntry: false })
  return here !== undefined && here.dev !== lstatSync(dirname(path)).dev
}
