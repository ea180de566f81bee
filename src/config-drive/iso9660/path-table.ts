import type { Directory } from './directories.ts'

/** Path tables, ECMA-119 §9.4: every directory in 8 bytes, its identifier, and a byte if that is of odd length. Kept twice,
 *  in either order of bytes. */

const EXTENT = 2 // 4 bytes
const PARENT = 6 // 2 bytes: a number in the table, counted from 1
const IDENTIFIER = 8

/** A parent is named by 16 bits. */
export const DIRECTORIES = 0xffff

function entryLength({ identifier }: Directory): number {
  return IDENTIFIER + identifier.length + (identifier.length % 2)
}

export function pathTableSize(directories: readonly Directory[]): number {
  return directories.reduce((size, directory) => size + entryLength(directory), 0)
}

export function writePathTable(
  into: Buffer,
  directories: readonly Directory[],
  extents: readonly number[],
  order: 'littleEndian' | 'bigEndian',
): void {
  let offset = 0
  for (const [place, directory] of directories.entries()) {
    const [extent, parent] = [extents[place] ?? 0, directory.parent + 1]
    into[offset] = directory.identifier.length
    if (order === 'littleEndian') {
      into.writeUInt32LE(extent, offset + EXTENT)
      into.writeUInt16LE(parent, offset + PARENT)
    } else {
      into.writeUInt32BE(extent, offset + EXTENT)
      into.writeUInt16BE(parent, offset + PARENT)
    }
    into.set(directory.identifier, offset + IDENTIFIER)
    offset += entryLength(directory)
  }
}
