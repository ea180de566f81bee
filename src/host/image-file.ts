import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writevSync,
} from 'node:fs'
import { dirname } from 'node:path'
import type { Image, ImageSource } from '../config-drive/image.ts'
import { HostError } from './errors.ts'

/** Chunks that go to the kernel together. */
const BATCH = 256

/**
 * Writes an image whole or not at all: beside its place, to the disk, and then renamed. What read the former file goes on
 * reading that. Holes stay holes.
 * @param path  the new file is for its owner alone: drives hold passwords and keys
 * @throws Error of the system (ENOSPC, EACCES, ...); nothing is left behind then
 */
export function writeImage(path: string, image: Image): void {
  writeBeside(path, (fresh) => {
    const fd = openSync(fresh, 'wx', 0o600)
    try {
      writeChunks(fd, image)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  })
}

/** Lets `write` make a file beside the path, which takes its place only when it is whole. */
function writeBeside(path: string, write: (fresh: string) => void): void {
  const fresh = `${path}.${process.pid}.new`
  try {
    write(fresh)
    renameSync(fresh, path)
  } catch (error) {
    rmSync(fresh, { force: true })
    throw error
  }
  syncFolder(dirname(path))
}

function writeChunks(fd: number, { size, chunks }: Image): void {
  ftruncateSync(fd, size)
  let batch: Uint8Array[] = []
  let start = 0
  let at = 0
  const flush = () => {
    writeAll(fd, batch, start)
    batch = []
  }
  for (const chunk of chunks) {
    if ('hole' in chunk) {
      flush()
      at += chunk.hole
    } else {
      if (batch.length === BATCH) flush()
      if (batch.length === 0) start = at
      batch.push(chunk)
      at += chunk.length
    }
  }
  flush()
  if (at !== size) throw new HostError(`the image should have ${size} bytes and has ${at}`)
}

/** The kernel may take less than it is given. */
function writeAll(fd: number, chunks: readonly Uint8Array[], offset: number): void {
  let rest = chunks.filter((chunk) => chunk.length > 0)
  let at = offset
  while (rest.length > 0) {
    let written = writevSync(fd, rest, at)
    at += written
    rest = rest.flatMap((chunk) => {
      const taken = Math.min(written, chunk.length)
      written -= taken
      return taken === chunk.length ? [] : [chunk.subarray(taken)]
    })
  }
}

/** So that the new name survives a power cut. */
export function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

export interface ImageFile extends ImageSource {
  close(): void
}

/** @throws HostError when there is no such file or it has no contents of its own, else Error of the system */
export function openImageFile(path: string): ImageFile {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) throw new HostError(`there is no file ${path}`)
  const fd = openSync(path, 'r')
  try {
    const found = fstatSync(fd)
    if (!found.isFile()) throw new HostError(`${path} is not a regular file`)
    return {
      size: found.size,
      read: (offset, length) => readFully(fd, offset, length),
      close: () => closeSync(fd),
    }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/** Fewer bytes only when the file has become shorter meanwhile. */
function readFully(fd: number, offset: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(length)
  let filled = 0
  for (let read = -1; read !== 0 && filled < length; filled += read)
    read = readSync(fd, bytes, filled, length - filled, offset + filled)
  return bytes.subarray(0, filled)
}
