import assert from 'node:assert/strict'
import { closeSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import type { Drive, DriveFile, DriveFormat, Image, ImageSource } from '../../src/config-drive/image.ts'
import { isoImage } from '../../src/config-drive/iso9660/write.ts'
import { vfatImage } from '../../src/config-drive/vfat/write.ts'

const MEBIBYTE = 2 ** 20

export const TIMESTAMP = new Date('2026-02-28T23:59:58Z')

/** Every kind of image that we write. */
export const KINDS: readonly {
  readonly name: string
  readonly format: DriveFormat
  readonly make: (files: readonly DriveFile[], label?: string) => Image
}[] = [
  {
    name: 'ISO 9660',
    format: 'iso9660',
    make: (files, label = 'config-2') =>
      isoImage(files, { label, publisher: 'OpenStack Nova 26.2.2', timestamp: TIMESTAMP }),
  },
  { name: 'FAT12', format: 'vfat', make: vfat(4 * MEBIBYTE) },
  { name: 'FAT16', format: 'vfat', make: vfat(64 * MEBIBYTE) },
  { name: 'FAT32', format: 'vfat', make: vfat(600 * MEBIBYTE) },
]

function vfat(sizeBytes: number) {
  return (files: readonly DriveFile[], label = 'config-2') =>
    vfatImage(files, { label, sizeBytes, timestamp: TIMESTAMP, serial: 0x1234_5678 })
}

/** As a sparse file. */
export function writeImage(file: string, image: Image): void {
  const descriptor = openSync(file, 'w')
  let offset = 0
  for (const chunk of image.chunks) {
    if ('hole' in chunk) offset += chunk.hole
    else offset += writeSync(descriptor, chunk, 0, chunk.length, offset)
  }
  assert.equal(offset, image.size)
  ftruncateSync(descriptor, image.size)
  closeSync(descriptor)
}

/** For images that are too large to be read as a whole. */
export function fileSource(file: string): ImageSource {
  return {
    size: statSync(file).size,
    read(offset, length) {
      const descriptor = openSync(file, 'r')
      const bytes = Buffer.alloc(length)
      const count = readSync(descriptor, bytes, 0, length, offset)
      closeSync(descriptor)
      return bytes.subarray(0, count)
    },
  }
}

/** Path and content of everything on a drive, in one order. */
export function contentsOf(drive: Drive): ReadonlyMap<string, Buffer> {
  const files = drive.entries.filter(({ kind }) => kind === 'file')
  return new Map(files.map(({ path }) => [path, Buffer.from(drive.read(path) ?? assert.fail(path))]))
}

/** Says which files differ, and not all of their bytes. */
export function assertSameFiles(seen: ReadonlyMap<string, Buffer>, wanted: readonly DriveFile[]): void {
  const paths = new Set(wanted.map(({ path }) => path))
  assert.deepEqual(
    {
      missing: [...paths].filter((path) => !seen.has(path)),
      added: [...seen.keys()].filter((path) => !paths.has(path)),
      changed: wanted.filter(({ path, content }) => seen.get(path)?.equals(content) === false).map(({ path }) => path),
    },
    { missing: [], added: [], changed: [] },
  )
}
