import { DriveProblem } from '../image.ts'
import { shortTime, writeBoth16, writeBoth32 } from './numbers.ts'

/** Directory records, ECMA-119 §9.1: 33 bytes, the identifier, a byte if that is of even length, the system use area. */

// Byte 1, the length of an extended attribute record, is 0 in ours; byte 0 is the length of the whole record.
const ATTRIBUTE_LENGTH = 1
const EXTENT = 2 // both, 4+4 bytes: the first logical block
const SIZE = 10 // both, 4+4 bytes, in bytes
const TIME = 18 // 7 bytes
const FLAGS = 25
const UNIT_SIZE = 26 // interleaved files only
const VOLUME_SEQUENCE = 28 // both, 2+2 bytes
const IDENTIFIER_LENGTH = 32
const IDENTIFIER = 33

/** The record's length is one byte, and even. */
export const RECORD_ROOM = 254

const DIRECTORY = 0x02
const ASSOCIATED = 0x04
const MORE_EXTENTS = 0x80

/** The identifiers of a directory's first two records: itself, and the directory above. */
export const SELF = Uint8Array.of(0)
export const PARENT = Uint8Array.of(1)

export interface RecordFields {
  readonly identifier: Uint8Array
  readonly isDirectory: boolean
  /** Logical block. */
  readonly extent: number
  /** In bytes. */
  readonly size: number
  readonly systemUse: Uint8Array
}

/** Where the system use area of a record begins. */
export function systemUseOffset(identifierLength: number): number {
  const end = IDENTIFIER + identifierLength
  return end + (end % 2)
}

export function recordLength(identifierLength: number, systemUseLength: number): number {
  const end = systemUseOffset(identifierLength) + systemUseLength
  return end + (end % 2)
}

export function writeRecord(into: Buffer, offset: number, fields: RecordFields, timestamp: Date): number {
  const length = recordLength(fields.identifier.length, fields.systemUse.length)
  const record = into.subarray(offset, offset + length)
  record[0] = length
  writeBoth32(record, fields.extent, EXTENT)
  writeBoth32(record, fields.size, SIZE)
  record.set(shortTime(timestamp), TIME)
  record[FLAGS] = fields.isDirectory ? DIRECTORY : 0
  writeBoth16(record, 1, VOLUME_SEQUENCE)
  record[IDENTIFIER_LENGTH] = fields.identifier.length
  record.set(fields.identifier, IDENTIFIER)
  record.set(fields.systemUse, systemUseOffset(fields.identifier.length))
  return offset + length
}

export interface ReadRecord {
  readonly identifier: Buffer
  readonly isDirectory: boolean
  /** Resource forks and the like: no file of its own. */
  readonly isAssociated: boolean
  /** The file goes on in the extent of the next record. */
  readonly goesOn: boolean
  /** Logical block of the data. */
  readonly extent: number
  readonly size: number
  readonly systemUse: Buffer
}

/**
 * The record at a place of a directory's bytes.
 * @param at  where that is in the image, for the message
 * @returns undefined where there is padding to the end of the sector
 */
export function readRecord(bytes: Buffer, offset: number, at: number): { record: ReadRecord; end: number } | undefined {
  const length = bytes[offset] ?? 0
  if (length === 0) return undefined
  const record = bytes.subarray(offset, offset + length)
  const identifierLength = record[IDENTIFIER_LENGTH] ?? 0
  if (record.length < length || length < IDENTIFIER + identifierLength || identifierLength === 0) {
    throw new DriveProblem(`a directory record of ${length} bytes does not hold what it says`, at)
  }
  const flags = record[FLAGS] ?? 0
  if (record[UNIT_SIZE] !== 0) throw new DriveProblem('an interleaved file, which nothing has written since 1990', at)
  return {
    end: offset + length,
    record: {
      identifier: record.subarray(IDENTIFIER, IDENTIFIER + identifierLength),
      isDirectory: (flags & DIRECTORY) !== 0,
      isAssociated: (flags & ASSOCIATED) !== 0,
      goesOn: (flags & MORE_EXTENTS) !== 0,
      extent: record.readUInt32LE(EXTENT) + (record[ATTRIBUTE_LENGTH] ?? 0),
      size: record.readUInt32LE(SIZE),
      systemUse: record.subarray(systemUseOffset(identifierLength)),
    },
  }
}
