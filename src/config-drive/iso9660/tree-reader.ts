import type { FoundEntry } from '../drive-files.ts'
import { isTreacherous, PATH_BYTES, quote } from '../files.ts'
import { DriveProblem, type ImageSource } from '../image.ts'
import { readAt } from '../image-source.ts'
import { type ReadRecord, readRecord } from './directory-record.ts'
import { SECTOR } from './numbers.ts'
import {
  hasRockRidge,
  type ReadContinuation,
  type RockRidge,
  rockRidge,
  sharingProtocol,
  systemUseEntries,
} from './system-use-reader.ts'
import { fromUcs2 } from './volume-descriptor.ts'

/** One of the trees of an image, and how its names are to be read. */
export interface Volume {
  readonly root: Pick<ReadRecord, 'extent' | 'size'>
  /** In bytes. */
  readonly blockSize: number
  readonly names: 'rock-ridge' | 'joliet' | 'primary'
  /** Bytes of every system use area that belong to something else. */
  readonly skip: number
}

interface Placed {
  readonly path: string
  /** In bytes. */
  readonly offset: number
  readonly size: number
}

/** A record, and what Rock Ridge says of it. */
interface Named {
  readonly record: ReadRecord
  readonly rock: RockRidge
  /** Of the record in the image. */
  readonly at: number
}

/** @returns how many bytes to skip, undefined when the root's first record promises no Rock Ridge */
export function rockRidgeSkip(source: ImageSource, { root, blockSize }: Volume): number | undefined {
  const at = root.extent * blockSize
  const area = firstRecord(source, at).systemUse
  const sharing = sharingProtocol(area)
  if (!sharing) return undefined
  const entries = systemUseEntries(area, continuations(source, blockSize, allowance(source)), at)
  return hasRockRidge(entries) ? sharing.skip : undefined
}

/** A directory's record of itself. */
function firstRecord(source: ImageSource, at: number): ReadRecord {
  const record = readRecord(readAt(source, at, SECTOR, 'a directory'), 0, at)?.record
  if (!record) throw new DriveProblem('here should be a directory, and there is nothing', at)
  return record
}

/** A million files. A sparse file can claim any size. */
const DIRECTORY_BYTES = 2 ** 28

/** Bytes of directories add up to less than the image, unless some are read twice: so that reading it ends soon. */
type Spend = (bytes: number, at: number) => void

function allowance({ size }: ImageSource): Spend {
  let left = Math.min(size, DIRECTORY_BYTES)
  return (bytes, at) => {
    left -= bytes
    if (left < 0)
      throw new DriveProblem(`the directories together have more than ${Math.min(size, DIRECTORY_BYTES)} bytes`, at)
  }
}

function continuations(source: ImageSource, blockSize: number, spend: Spend): ReadContinuation {
  return ({ block, offset, length }) => {
    const at = block * blockSize + offset
    spend(length, at)
    return readAt(source, at, length, 'the continuation of a directory record')
  }
}

/** Everything in the tree, directories before what is in them. */
export function readEntries(source: ImageSource, volume: Volume): readonly FoundEntry[] {
  const { root, blockSize } = volume
  const spend = allowance(source)
  const waiting: Placed[] = [{ path: '', offset: root.extent * blockSize, size: root.size }]
  const seen = new Map<number, string>()
  const entries: FoundEntry[] = []
  for (const directory of waiting) {
    const known = seen.get(directory.offset)
    if (known !== undefined) {
      const names = `${quote(`/${known}`)} and ${quote(`/${directory.path}`)}`
      throw new DriveProblem(`${names} are one directory: it would never end`, directory.offset)
    }
    seen.set(directory.offset, directory.path)
    for (const named of recordsOf(source, directory, volume, spend)) {
      const entry = describe(source, directory.path, named, volume)
      entries.push(entry)
      if (entry.kind === 'directory') waiting.push(directoryAt(source, entry.path, named[0], blockSize))
    }
  }
  return entries
}

/** One list for each name: a file of several extents has as many records. */
function recordsOf(source: ImageSource, directory: Placed, volume: Volume, spend: Spend): readonly Group[] {
  spend(directory.size, directory.offset)
  const bytes = readAt(source, directory.offset, directory.size, `the directory ${quote(`/${directory.path}`)}`)
  const read = continuations(source, volume.blockSize, spend)
  const groups: Group[] = []
  let unfinished: [Named, ...Named[]] | undefined
  let offset = 0
  while (offset < bytes.length) {
    const at = directory.offset + offset
    const found = readRecord(bytes, offset, at)
    offset = found?.end ?? (Math.floor(offset / SECTOR) + 1) * SECTOR
    if (!found || found.record.isAssociated || isDot(found.record.identifier)) continue
    const { record } = found
    const area = record.systemUse.subarray(volume.skip)
    const rock = rockRidge(volume.names === 'rock-ridge' ? systemUseEntries(area, read, at) : [])
    if (rock.isMoved) continue
    if (unfinished) unfinished.push({ record, rock, at })
    const group: Group = unfinished ?? [{ record, rock, at }]
    if (!unfinished) groups.push(group)
    unfinished = record.goesOn ? group : undefined
  }
  return groups
}

type Group = [Named, ...Named[]]

/** The directory itself, and the one above. */
function isDot(identifier: Buffer): boolean {
  return identifier.length === 1 && (identifier[0] ?? 0) <= 1
}

const REGULAR_FILE = 0o100000

function describe(source: ImageSource, within: string, group: Group, volume: Volume): FoundEntry {
  const [{ record, rock, at }] = group
  const name = nameOf(record, rock, volume)
  if (isTreacherous(name)) throw new DriveProblem(`a name is ${quote(name)}, which is none`, at)
  const path = within === '' ? name : `${within}/${name}`
  if (path.length > PATH_BYTES) throw new DriveProblem(`a path of ${path.length} characters`, at)
  if (record.isDirectory || rock.childAt !== undefined) return { path, kind: 'directory', size: 0, extents: [] }
  if ((rock.fileType ?? REGULAR_FILE) !== REGULAR_FILE || rock.isCompressed) {
    return { path, kind: 'other', size: 0, extents: [] }
  }
  const extents = group.map((part) => ({ offset: part.record.extent * volume.blockSize, size: part.record.size }))
  const size = extents.reduce((sum, extent) => sum + extent.size, 0)
  const outside = extents.find((extent) => extent.size > 0 && extent.offset + extent.size > source.size)
  if (outside || size > source.size) {
    const place = outside?.offset ?? at
    throw new DriveProblem(`${quote(path)} should have ${size} bytes, but the image ends at ${source.size}`, place)
  }
  return { path, kind: 'file', size, extents }
}

function nameOf({ identifier }: ReadRecord, { name }: RockRidge, { names }: Volume): string {
  if (name !== undefined) return name
  const text = names === 'joliet' ? fromUcs2(identifier).toWellFormed() : identifier.toString('latin1')
  const plain = text.replace(/;\d*$/, '')
  return names === 'joliet' ? plain : plain.replace(/(?<=.)\.$/, '')
}

/** A directory that was moved away says its size itself. */
function directoryAt(source: ImageSource, path: string, { record, rock }: Named, blockSize: number): Placed {
  if (rock.childAt === undefined) return { path, offset: record.extent * blockSize, size: record.size }
  const offset = rock.childAt * blockSize
  return { path, offset, size: firstRecord(source, offset).size }
}
