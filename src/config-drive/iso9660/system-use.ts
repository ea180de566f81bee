import { shortTime, writeBoth32 } from './numbers.ts'

/** Entries of the system use area: SUSP 1.12 (SP, CE, ER, ST) and Rock Ridge 1.09 (RR, PX, TF, NM), as genisoimage -r writes
 *  them. Each has a signature of 2 bytes, its length, a version, and its data. */

const HEADER = 4
const VERSION = 1

/** Entries of one record: those in it, and those that have no room there. */
export interface SystemUse {
  readonly inline: Uint8Array
  /** Goes to the continuation area; empty as a rule. */
  readonly continued: Uint8Array
}

export const NO_SYSTEM_USE: SystemUse = { inline: new Uint8Array(), continued: new Uint8Array() }

/** SUSP §5.1: block, offset and length of the continuation, each "both". */
export const CONTINUATION_LENGTH = HEADER + 3 * 8

export function continuation(block: number, offset: number, length: number): Buffer {
  const data = Buffer.alloc(CONTINUATION_LENGTH - HEADER)
  for (const [index, value] of [block, offset, length].entries()) writeBoth32(data, value, index * 8)
  return entry('CE', data)
}

/** Puts entries in their order into a record until it is full. @param room  in bytes */
export function distribute(entries: readonly Uint8Array[], room: number): SystemUse {
  const whole = Buffer.concat(entries)
  if (whole.length <= room) return { inline: whole, continued: NO_SYSTEM_USE.continued }
  let fits = 0
  for (const { length } of entries) {
    if (fits + length > room - CONTINUATION_LENGTH) break
    fits += length
  }
  return { inline: whole.subarray(0, fits), continued: whole.subarray(fits) }
}

/** Says in the root's first record that there are entries at all: SUSP §5.3, check bytes and bytes to skip. */
export const SHARING_PROTOCOL = entry('SP', Uint8Array.of(0xbe, 0xef, 0))

const EXTENSION = [
  'RRIP_1991A',
  'THE ROCK RIDGE INTERCHANGE PROTOCOL PROVIDES SUPPORT FOR POSIX FILE SYSTEM SEMANTICS',
  'PLEASE CONTACT DISC PUBLISHER FOR SPECIFICATION SOURCE.  SEE PUBLISHER IDENTIFIER IN PRIMARY VOLUME DESCRIPTOR FOR CONTACT INFORMATION.',
]

/** Names Rock Ridge, SUSP §5.5: the lengths of three texts, a version, the texts. Readers compare the first. */
export const EXTENSION_REFERENCE = entry(
  'ER',
  Buffer.concat([
    Uint8Array.from([...EXTENSION.map((text) => text.length), 1]),
    ...EXTENSION.map((text) => Buffer.from(text, 'latin1')),
  ]),
)

/** What Rock Ridge says of everything on a drive but its name: the same for every file. */
export interface Attributes {
  readonly file: Uint8Array
  /** @param folders  within it */
  directory(folders: number): Uint8Array
}

const REGULAR_FILE = 0o100444
const DIRECTORY = 0o040555

/** Which entries a record has, for readers of the first Rock Ridge. */
const PRESENT = { attributes: 0x01, name: 0x08, times: 0x80 }

/** Of change, access and attributes, in the short form. */
const TIMES = 0x0e

export function rockRidgeAttributes(timestamp: Date): Attributes {
  const time = shortTime(timestamp)
  const times = entry('TF', Buffer.concat([Uint8Array.of(TIMES), time, time, time]))
  const attributes = (mode: number, links: number, present: number) =>
    Buffer.concat([entry('RR', Uint8Array.of(present)), entry('PX', posix(mode, links)), times])
  const unnamed = PRESENT.attributes | PRESENT.times
  return {
    file: attributes(REGULAR_FILE, 1, unnamed | PRESENT.name),
    directory: (folders) => attributes(DIRECTORY, 2 + folders, unnamed | PRESENT.name),
  }
}

/** Mode, links, user and group: everything is root's, as genisoimage -r makes it. */
function posix(mode: number, links: number): Buffer {
  const data = Buffer.alloc(4 * 8)
  writeBoth32(data, mode, 0)
  writeBoth32(data, links, 8)
  return data
}

const NAME_GOES_ON = 0x01
const NAME_ROOM = 250

/** Two entries when it is longer than one can hold. */
export function nameEntries(name: string): readonly Uint8Array[] {
  const bytes = Buffer.from(name)
  const pieces = bytes.length <= NAME_ROOM ? [bytes] : [bytes.subarray(0, NAME_ROOM), bytes.subarray(NAME_ROOM)]
  return pieces.map((piece, index) =>
    entry('NM', Buffer.concat([Uint8Array.of(index < pieces.length - 1 ? NAME_GOES_ON : 0), piece])),
  )
}

function entry(signature: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEADER + data.length)
  bytes.write(signature, 'latin1')
  bytes[2] = bytes.length
  bytes[3] = VERSION
  bytes.set(data, HEADER)
  return bytes
}
