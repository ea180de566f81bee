import { DriveProblem } from '../image.ts'

/** What Rock Ridge says of a record, as far as a reader of files wants it. */
export interface RockRidge {
  /** Undefined: the record's identifier is all there is. */
  readonly name: string | undefined
  /** The file type bits of the mode; undefined when nothing is said. */
  readonly fileType: number | undefined
  /** Logical block of a directory that was moved away, and stands here (CL). */
  readonly childAt: number | undefined
  /** A moved directory, which is named where it belongs (RE). */
  readonly isMoved: boolean
  /** Stored compressed (ZF), as mkzftree leaves it. */
  readonly isCompressed: boolean
}

export interface Entry {
  readonly signature: string
  readonly data: Buffer
}

export interface SharingProtocol {
  /** Bytes to pass over in every record's system use area but the root's first. */
  readonly skip: number
}

/** Where a record goes on: the logical block, the offset in it, how many bytes. */
export type ReadContinuation = (place: { block: number; offset: number; length: number }) => Buffer

/** A record may go on in so many places; writers need one, or two. */
const CONTINUATIONS = 32

const HEADER = 4
const CHECK = [0xbe, 0xef]

/** @param systemUse  of the root's first record @returns undefined when there is neither SUSP nor anything built on it */
export function sharingProtocol(systemUse: Buffer): SharingProtocol | undefined {
  if (systemUse.toString('latin1', 0, 2) !== 'SP') return undefined
  const [first, second, skip = 0] = systemUse.subarray(HEADER, HEADER + 3)
  return first === CHECK[0] && second === CHECK[1] ? { skip } : undefined
}

/**
 * All entries of a record, those of its continuations included. What makes no sense ends the area, as other readers have it.
 * @param at  of the record, for messages
 */
export function systemUseEntries(area: Buffer, read: ReadContinuation, at: number): readonly Entry[] {
  const entries: Entry[] = []
  let next: Buffer | undefined = area
  for (let areas = 0; next; areas += 1) {
    if (areas > CONTINUATIONS) throw new DriveProblem('the entries of a directory record go on without an end', at)
    const found = entriesOf(next)
    entries.push(...found.filter(({ signature }) => signature !== 'CE'))
    const more = found.find(({ signature, data }) => signature === 'CE' && data.length >= 24)?.data
    next = more && read({ block: more.readUInt32LE(0), offset: more.readUInt32LE(8), length: more.readUInt32LE(16) })
  }
  return entries
}

function entriesOf(area: Buffer): readonly Entry[] {
  const entries: Entry[] = []
  let offset = 0
  while (offset + HEADER <= area.length) {
    const length = area[offset + 2] ?? 0
    const signature = area.toString('latin1', offset, offset + 2)
    if (length < HEADER || offset + length > area.length || signature === 'ST') break
    entries.push({ signature, data: area.subarray(offset + HEADER, offset + length) })
    offset += length
  }
  return entries
}

const ROCK_RIDGE = ['RRIP_1991A', 'IEEE_P1282', 'IEEE_1282']

/** Whether the entries of the root's first record promise Rock Ridge. */
export function hasRockRidge(entries: readonly Entry[]): boolean {
  return entries.some(({ signature, data }) => {
    if (signature === 'RR') return true
    return signature === 'ER' && ROCK_RIDGE.includes(data.toString('latin1', 4, 4 + (data[0] ?? 0)))
  })
}

const FILE_TYPE = 0o170000

export function rockRidge(entries: readonly Entry[]): RockRidge {
  const data = (signature: string) => entries.find((entry) => entry.signature === signature)?.data
  const names = entries.filter(({ signature }) => signature === 'NM').map((entry) => entry.data.subarray(1))
  const [mode, child] = [data('PX'), data('CL')]
  return {
    name: names.length > 0 ? fromUtf8(Buffer.concat(names)) : undefined,
    fileType: mode && mode.length >= 4 ? mode.readUInt32LE(0) & FILE_TYPE : undefined,
    childAt: child && child.length >= 4 ? child.readUInt32LE(0) : undefined,
    isMoved: data('RE') !== undefined,
    isCompressed: data('ZF') !== undefined,
  }
}

/** Images have names in the bytes that their maker had; those that are no UTF-8 stay apart as Latin-1. */
function fromUtf8(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  return Buffer.from(text).equals(bytes) ? text : bytes.toString('latin1')
}
