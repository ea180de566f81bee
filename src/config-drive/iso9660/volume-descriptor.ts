import { type ReadRecord, readRecord, SELF, writeRecord } from './directory-record.ts'
import { longTime, NO_TIME, SECTOR, writeBoth16, writeBoth32 } from './numbers.ts'

/** Volume descriptors, ECMA-119 §8: 2048 bytes each from sector 16 on. Numbers marked "both" are stored little-endian,
 *  then big-endian. Joliet is a supplementary descriptor with an escape sequence (Joliet specification, 1995). */

export const FIRST_DESCRIPTOR = 16 // sector
const TYPE = 0
const STANDARD_ID = 1 // 5 bytes
const VERSION = 6
const SYSTEM_ID = 8 // 32 bytes, padded with spaces, as are all texts
const VOLUME_ID = 40 // 32 bytes
const SPACE_SIZE = 80 // both, 4+4 bytes, in logical blocks
const ESCAPES = 88 // 32 bytes, in supplementary descriptors
const SET_SIZE = 120 // both, 2+2 bytes
const SEQUENCE = 124 // both, 2+2 bytes
const BLOCK_SIZE = 128 // both, 2+2 bytes
const PATH_TABLE_SIZE = 132 // both, 4+4 bytes, in bytes
const PATH_TABLE_L = 140 // little-endian: logical block
const PATH_TABLE_M = 148 // big-endian: logical block
const ROOT = 156 // a directory record of 34 bytes
const ROOT_END = 190
const TEXTS = 190 // volume set, publisher, preparer, application: 128 bytes each
const FILE_NAMES = 702 // copyright, abstract, bibliographic: 37 bytes each
const TIMES = 813 // creation, change, expiry, effect: 17 bytes each
const STRUCTURE_VERSION = 881

const ID = 'CD001'
const PRIMARY = 1
const SUPPLEMENTARY = 2
const TERMINATOR = 255

/** UCS-2 levels 1, 2 and 3; the last is what everybody writes. */
const JOLIET_ESCAPES = ['%/@', '%/C', '%/E']
const JOLIET_ESCAPE = '%/E'

export interface DescriptorFields {
  readonly label: string
  readonly publisher: string
  readonly timestamp: Date
  /** Of the whole image. */
  readonly sectors: number
  readonly pathTable: { readonly size: number; readonly littleEndian: number; readonly bigEndian: number }
  readonly root: { readonly extent: number; readonly size: number }
  readonly isJoliet: boolean
}

/** The label that Linux shows is the primary descriptor's; Windows shows Joliet's. */
export function writeDescriptor(into: Buffer, fields: DescriptorFields): void {
  const { isJoliet, timestamp } = fields
  startDescriptor(into, isJoliet ? SUPPLEMENTARY : PRIMARY)
  const text = isJoliet ? writeUcs2 : writeAscii
  text(into, SYSTEM_ID, 32, 'LINUX')
  text(into, VOLUME_ID, 32, fields.label)
  writeBoth32(into, fields.sectors, SPACE_SIZE)
  if (isJoliet) into.write(JOLIET_ESCAPE, ESCAPES, 'latin1')
  writeBoth16(into, 1, SET_SIZE)
  writeBoth16(into, 1, SEQUENCE)
  writeBoth16(into, SECTOR, BLOCK_SIZE)
  writeBoth32(into, fields.pathTable.size, PATH_TABLE_SIZE)
  into.writeUInt32LE(fields.pathTable.littleEndian, PATH_TABLE_L)
  into.writeUInt32BE(fields.pathTable.bigEndian, PATH_TABLE_M)
  const root = { identifier: SELF, isDirectory: true, ...fields.root, systemUse: Buffer.alloc(0) }
  writeRecord(into, ROOT, root, timestamp)
  for (const [index, words] of ['', fields.publisher, '', 'FIRSTBOOT'].entries()) {
    text(into, TEXTS + index * 128, 128, words)
  }
  text(into, FILE_NAMES, 3 * 37, '')
  const time = longTime(timestamp)
  for (const [index, said] of [time, time, NO_TIME, time].entries()) into.set(said, TIMES + index * 17)
  into[STRUCTURE_VERSION] = 1
}

export function writeTerminator(into: Buffer): void {
  startDescriptor(into, TERMINATOR)
}

function startDescriptor(into: Buffer, type: number): void {
  into[TYPE] = type
  into.write(ID, STANDARD_ID, 'latin1')
  into[VERSION] = 1
}

function writeAscii(into: Buffer, offset: number, length: number, text: string): void {
  into.write(text.padEnd(length), offset, length, 'latin1')
}

/** A byte that is left over of an odd length stays 0. */
function writeUcs2(into: Buffer, offset: number, length: number, text: string): void {
  into.set(ucs2(text.padEnd(length / 2).slice(0, length / 2)), offset)
}

/** Big-endian. */
export function ucs2(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16()
}

export interface Descriptor {
  readonly kind: 'primary' | 'joliet' | 'other' | 'terminator'
  readonly label: string
  /** What the header says the image takes, in bytes. */
  readonly size: number
  readonly blockSize: number
  readonly root: ReadRecord | undefined
}

/** @param at  where it lies in the image, for messages @returns undefined when it is no volume descriptor */
export function readDescriptor(bytes: Buffer, at: number): Descriptor | undefined {
  if (bytes.toString('latin1', STANDARD_ID, STANDARD_ID + ID.length) !== ID) return undefined
  const kind = kindOf(bytes)
  const isVolume = kind === 'primary' || kind === 'joliet'
  const id = bytes.subarray(VOLUME_ID, VOLUME_ID + 32)
  const blockSize = bytes.readUInt16LE(BLOCK_SIZE)
  return {
    kind,
    label: (kind === 'joliet' ? fromUcs2(id) : id.toString('latin1')).replace(/[ \0]+$/, ''),
    size: bytes.readUInt32LE(SPACE_SIZE) * blockSize,
    blockSize,
    root: isVolume ? readRecord(bytes.subarray(0, ROOT_END), ROOT, at + ROOT)?.record : undefined,
  }
}

function kindOf(bytes: Buffer): Descriptor['kind'] {
  const type = bytes[TYPE]
  if (type === PRIMARY) return 'primary'
  if (type === TERMINATOR) return 'terminator'
  const sequence = bytes.toString('latin1', ESCAPES, ESCAPES + 3)
  return type === SUPPLEMENTARY && JOLIET_ESCAPES.includes(sequence) ? 'joliet' : 'other'
}

export function fromUcs2(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, bytes.length & ~1))
    .swap16()
    .toString('utf16le')
}
