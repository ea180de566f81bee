import { padLabel } from './boot-sector.ts'
import { fromCodePage } from './code-page.ts'
import { ENTRY } from './geometry.ts'
import { type FatName, LOWER_CASE } from './names.ts'

/** Directory entries: 32 bytes each, those of a long name before the one they belong to, last piece first (Microsoft, FAT
 *  specification 1.03, and the long file name specification of 1992). */

const ATTRIBUTES = 11
const CASE = 12
const CREATED = 14 // 2 time, 2 date
const ACCESSED = 18 // 2 date
const CLUSTER_HIGH = 20 // 2
const CHANGED = 22 // 2 time, 2 date
const CLUSTER_LOW = 26 // 2
const SIZE = 28 // 4

const IS_LABEL = 0x08
const IS_DIRECTORY = 0x10
const IS_ARCHIVED = 0x20
const IS_LONG_NAME = 0x0f
const KINDS = 0x3f

const FREE = 0xe5
const INSTEAD_OF_FREE = 0x05
const NO_MORE = 0x00

// An entry of a long name.
const CHECKSUM = 13
const LAST_PIECE = 0x40
const PIECE_NUMBER = 0x3f
const UNITS = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30] // 2 each

/** Units of UTF-16 in a name. */
export const LONG_NAME_UNITS = 255

export interface FatEntry {
  readonly name: FatName
  readonly isDirectory: boolean
  /** 0 for an empty file, and for the root. */
  readonly cluster: number
  /** In bytes; 0 for a directory. */
  readonly size: number
}

/** Of a name: how many entries it takes. */
export function slotsOf({ long }: FatName): number {
  return 1 + (long === undefined ? 0 : Math.ceil(long.length / UNITS.length))
}

/** @returns where the next entry goes */
export function writeEntry(into: Buffer, offset: number, entry: FatEntry, timestamp: Date): number {
  const { name, isDirectory, cluster, size } = entry
  const end = offset + (slotsOf(name) - 1) * ENTRY
  if (name.long !== undefined) writeLongName(into, offset, end, name.long, checksum(Buffer.from(name.alias, 'latin1')))
  const bytes = into.subarray(end, end + ENTRY)
  bytes.write(name.alias, 'latin1')
  bytes[ATTRIBUTES] = isDirectory ? IS_DIRECTORY : IS_ARCHIVED
  bytes[CASE] = name.lowerCase
  writeTimes(bytes, timestamp)
  bytes.writeUInt16LE(cluster >>> 16, CLUSTER_HIGH)
  bytes.writeUInt16LE(cluster & 0xffff, CLUSTER_LOW)
  bytes.writeUInt32LE(size, SIZE)
  return end + ENTRY
}

function writeLongName(into: Buffer, first: number, end: number, name: string, sum: number): void {
  const pieces = (end - first) / ENTRY
  for (let piece = pieces; piece >= 1; piece -= 1) {
    const bytes = into.subarray(first + (pieces - piece) * ENTRY)
    bytes[0] = piece | (piece === pieces ? LAST_PIECE : 0)
    bytes[ATTRIBUTES] = IS_LONG_NAME
    bytes[CHECKSUM] = sum
    for (const [index, at] of UNITS.entries()) {
      const place = (piece - 1) * UNITS.length + index
      bytes.writeUInt16LE(place < name.length ? name.charCodeAt(place) : place === name.length ? 0 : 0xffff, at)
    }
  }
}

/** The volume's label, which stands first in the root. @returns where the next entry goes */
export function writeLabel(into: Buffer, label: string, timestamp: Date): number {
  into.write(padLabel(label), 'latin1')
  into[ATTRIBUTES] = IS_LABEL
  writeTimes(into, timestamp)
  return ENTRY
}

/** To two seconds; readers take it for local time. */
function writeTimes(entry: Buffer, time: Date): void {
  const date = ((time.getUTCFullYear() - 1980) << 9) | ((time.getUTCMonth() + 1) << 5) | time.getUTCDate()
  const clock = (time.getUTCHours() << 11) | (time.getUTCMinutes() << 5) | (time.getUTCSeconds() >> 1)
  for (const at of [CREATED, CHANGED]) {
    entry.writeUInt16LE(clock, at)
    entry.writeUInt16LE(date, at + 2)
  }
  entry.writeUInt16LE(date, ACCESSED)
}

/** Ties a long name to its alias: when something old renames the file, it no longer fits. */
function checksum(alias: Uint8Array): number {
  return alias.subarray(0, 11).reduce((sum, byte) => (((sum & 1) << 7) + (sum >> 1) + byte) & 0xff, 0)
}

export interface ReadEntry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'label'
  readonly cluster: number
  readonly size: number
  /** In the directory's bytes. */
  readonly offset: number
}

/** All entries of a directory but `.` and `..`: a long name that does not fit its entry gives way to the alias. */
export function readEntries(bytes: Buffer): readonly ReadEntry[] {
  const entries: ReadEntry[] = []
  let pieces: Buffer[] = []
  for (let offset = 0; offset + ENTRY <= bytes.length; offset += ENTRY) {
    const entry = bytes.subarray(offset, offset + ENTRY)
    if (entry[0] === NO_MORE) break
    const attributes = entry[ATTRIBUTES] ?? 0
    if (entry[0] !== FREE && (attributes & KINDS) === IS_LONG_NAME) {
      pieces.push(entry)
      continue
    }
    if (entry[0] !== FREE && entry[0] !== 0x2e) {
      const kind = attributes & IS_LABEL ? 'label' : attributes & IS_DIRECTORY ? 'directory' : 'file'
      const cluster = entry.readUInt16LE(CLUSTER_HIGH) * 0x10000 + entry.readUInt16LE(CLUSTER_LOW)
      const name = kind === 'label' ? labelOf(entry) : (longName(pieces, checksum(entry)) ?? aliasOf(entry))
      entries.push({ name, kind, cluster, size: kind === 'file' ? entry.readUInt32LE(SIZE) : 0, offset })
    }
    pieces = []
  }
  return entries
}

function labelOf(entry: Buffer): string {
  return entry.toString('latin1', 0, 11).trimEnd()
}

function aliasOf(entry: Buffer): string {
  const flags = entry[CASE] ?? 0
  const bytes = Buffer.from(entry.subarray(0, 11))
  if (bytes[0] === INSTEAD_OF_FREE) bytes[0] = FREE
  // mtools 4.0.32 pads some aliases with zeros.
  const part = (text: string, flag: number) => (flags & flag ? text.toLowerCase() : text).replace(/[ \0]+$/, '')
  const stem = part(fromCodePage(bytes.subarray(0, 8)), LOWER_CASE.stem)
  const extension = part(fromCodePage(bytes.subarray(8)), LOWER_CASE.extension)
  return extension === '' ? stem : `${stem}.${extension}`
}

/** @param pieces  as they stand before the entry: last first @returns undefined when they are not one name */
function longName(pieces: readonly Buffer[], sum: number): string | undefined {
  const fits = pieces.every((piece, index) => {
    const number = pieces.length - index
    return (piece[0] ?? 0) === (number | (index === 0 ? LAST_PIECE : 0)) && piece[CHECKSUM] === sum
  })
  if (pieces.length === 0 || pieces.length > PIECE_NUMBER || !fits) return undefined
  const units = pieces.toReversed().flatMap((piece) => UNITS.map((at) => piece.readUInt16LE(at)))
  const end = units.indexOf(0)
  const name = end < 0 ? units : units.slice(0, end)
  return name.length > LONG_NAME_UNITS ? undefined : String.fromCharCode(...name).toWellFormed()
}
