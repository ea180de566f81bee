import type { Folder, NamedFile } from '../files.ts'
import { PARENT, RECORD_ROOM, recordLength, SELF, systemUseOffset, writeRecord } from './directory-record.ts'
import { allowedNames, JOLIET_NAMES, type NameRules, PRIMARY_NAMES } from './names.ts'
import { SECTOR, sectorsOf } from './numbers.ts'
import {
  type Attributes,
  CONTINUATION_LENGTH,
  continuation,
  distribute,
  EXTENSION_REFERENCE,
  NO_SYSTEM_USE,
  nameEntries,
  SHARING_PROTOCOL,
  type SystemUse,
} from './system-use.ts'
import { ucs2 } from './volume-descriptor.ts'

/** One of the two trees of an image: the same folders and files under other names. */
export interface Dialect {
  readonly names: NameRules
  identifier(name: string, isDirectory: boolean): Uint8Array
  /** @param room  in the record, in bytes */
  systemUse(of: Described, room: number): SystemUse
}

/** What a record is of. `name` is null for a directory's records of itself and of the one above. */
interface Described {
  readonly name: string | null
  readonly isDirectory: boolean
  readonly isRoot: boolean
  /** Within it, if it is a directory. */
  readonly folders: number
}

/** With Rock Ridge. A file has at least one dot, and a version behind the semicolon. */
export function primaryDialect(attributes: Attributes): Dialect {
  return {
    names: PRIMARY_NAMES,
    identifier: (name, isDirectory) =>
      Buffer.from(isDirectory ? name : `${name}${name.includes('.') ? '' : '.'};1`, 'latin1'),
    systemUse({ name, isDirectory, isRoot, folders }, room) {
      const said = isDirectory ? attributes.directory(folders) : attributes.file
      if (isRoot) return distribute([SHARING_PROTOCOL, said, EXTENSION_REFERENCE], room)
      return distribute(name === null ? [said] : [said, ...nameEntries(name)], room)
    },
  }
}

/** Without versions, as genisoimage has it. */
export const jolietDialect: Dialect = {
  names: JOLIET_NAMES,
  identifier: ucs2,
  systemUse: () => NO_SYSTEM_USE,
}

/** A directory before anything on the image has its place. */
export interface Directory {
  readonly identifier: Uint8Array
  /** Its place in the list, as are those of the records: that of the root is 0, and it is its own parent. */
  readonly parent: number
  readonly records: readonly PlannedRecord[]
  /** Of the records, in bytes: whole sectors. */
  readonly size: number
  /** Sectors behind them for what their entries have to go on with. */
  readonly continuationSectors: number
}

interface PlannedRecord {
  readonly identifier: Uint8Array
  readonly systemUse: SystemUse
  readonly target: NamedFile | number
  /** In the directory's bytes. */
  readonly offset: number
  /** Of what goes on, in the directory's bytes. */
  readonly continuedAt: number
}

/** All directories of a tree in the order of the path table: by level, by the parent's place, by identifier. */
export function planDirectories(root: Folder, dialect: Dialect): readonly Directory[] {
  const waiting: { folder: Folder; identifier: Uint8Array; parent: number }[] = [
    { folder: root, identifier: SELF, parent: 0 },
  ]
  const planned: Directory[] = []
  for (const { folder, identifier, parent } of waiting) {
    const place = planned.length
    const entries = namedEntries(folder, dialect).map(({ entry, ...named }) => {
      if ('content' in entry) return { ...named, target: entry, folders: 0 }
      const target = waiting.push({ folder: entry, identifier: named.identifier, parent: place }) - 1
      return { ...named, target, folders: entry.folders.length }
    })
    const dots = { name: null, isDirectory: true, isRoot: false, folders: folder.folders.length }
    const own = [
      { identifier: SELF, target: place, of: { ...dots, isRoot: place === 0 } },
      { identifier: PARENT, target: parent, of: dots },
    ]
    const others = entries.map(({ identifier: id, target, name, folders }) => ({
      identifier: id,
      target,
      of: { name, isDirectory: typeof target === 'number', isRoot: false, folders },
    }))
    planned.push({ identifier, parent, ...arrange([...own, ...others], dialect) })
  }
  return planned
}

/** In the order of ECMA-119 §9.3: by identifier, of which the version does not count. */
function namedEntries({ folders, files }: Folder, { names, identifier }: Dialect) {
  const entries = [...folders, ...files]
  const allowed = allowedNames(
    entries.map((entry) => entry.name),
    names,
  )
  return entries
    .map((entry, index) => ({ entry, name: entry.name, sortedBy: allowed[index] ?? '' }))
    .sort((a, b) => (a.sortedBy < b.sortedBy ? -1 : 1))
    .map(({ entry, name, sortedBy }) => ({ entry, name, identifier: identifier(sortedBy, !('content' in entry)) }))
}

interface Wanted {
  readonly identifier: Uint8Array
  readonly target: NamedFile | number
  readonly of: Described
}

/** No record crosses the end of a sector, and nothing that goes on does. */
function arrange(wanted: readonly Wanted[], dialect: Dialect): Omit<Directory, 'identifier' | 'parent'> {
  const records: PlannedRecord[] = []
  let [end, continuedEnd] = [0, 0]
  for (const { identifier, target, of } of wanted) {
    const systemUse = dialect.systemUse(of, RECORD_ROOM - systemUseOffset(identifier.length))
    const { inline, continued } = systemUse
    const hasMore = continued.length > 0
    const length = recordLength(identifier.length, inline.length + (hasMore ? CONTINUATION_LENGTH : 0))
    const offset = withinSector(end, length)
    const continuedAt = hasMore ? withinSector(continuedEnd, continued.length) : continuedEnd
    records.push({ identifier, systemUse, target, offset, continuedAt })
    end = offset + length
    continuedEnd = continuedAt + continued.length
  }
  return { records, size: sectorsOf(end) * SECTOR, continuationSectors: sectorsOf(continuedEnd) }
}

function withinSector(offset: number, length: number): number {
  return (offset % SECTOR) + length > SECTOR ? sectorsOf(offset) * SECTOR : offset
}

/** Where things are on the image, in sectors. */
export interface Places {
  directory(place: number): { readonly extent: number; readonly size: number }
  file(file: NamedFile): number
}

/** A directory's sectors, those of its continuations behind them. */
export function directoryBytes(directory: Directory, extent: number, places: Places, timestamp: Date): Buffer {
  const { records, size, continuationSectors } = directory
  const bytes = Buffer.alloc(size + continuationSectors * SECTOR)
  for (const { identifier, systemUse, target, offset, continuedAt } of records) {
    const { inline, continued } = systemUse
    const at = size + continuedAt
    bytes.set(continued, at)
    const goesOn = () => continuation(extent + Math.floor(at / SECTOR), at % SECTOR, continued.length)
    const isDirectory = typeof target === 'number'
    const data = isDirectory ? places.directory(target) : { extent: places.file(target), size: target.content.length }
    const whole = continued.length > 0 ? Buffer.concat([inline, goesOn()]) : inline
    writeRecord(bytes, offset, { identifier, isDirectory, ...data, systemUse: whole }, timestamp)
  }
  return bytes
}
