import { type Folder, growTree, type NamedFile, quote } from '../files.ts'
import { type Chunk, type DriveFile, DriveProblem, type Image } from '../image.ts'
import { checkText, checkTimestamp } from '../options.ts'
import {
  type Dialect,
  type Directory,
  directoryBytes,
  jolietDialect,
  type Places,
  planDirectories,
  primaryDialect,
} from './directories.ts'
import { SECTOR, sectorsOf } from './numbers.ts'
import { DIRECTORIES, pathTableSize, writePathTable } from './path-table.ts'
import { rockRidgeAttributes } from './system-use.ts'
import { FIRST_DESCRIPTOR, writeDescriptor, writeTerminator } from './volume-descriptor.ts'

export interface IsoOptions {
  /** At most 16 characters of ASCII: the Joliet descriptor has room for no more. */
  readonly label: string
  /** At most 128 characters of ASCII, of which Joliet shows 64. */
  readonly publisher: string
  /** Of the volume and of everything on it, to the second. */
  readonly timestamp: Date
}

const LABEL_ROOM = 16
const PUBLISHER_ROOM = 128

/** Primary, Joliet, terminator. */
const DESCRIPTORS = 3

/** Zeros at the end, as genisoimage -pad: drives read ahead, and some fail at the last sectors of a disc. */
const PADDING = 150 // sectors

/** A size has 32 bits, and a file one extent. */
const FILE_SIZE = 0xffff_ffff

/**
 * An ISO 9660 image with Rock Ridge and Joliet, as genisoimage makes it with the arguments of Nova: `-ldots
 * -allow-lowercase -allow-multidot -l -J -r -V LABEL -publisher PUBLISHER`. The same input gives the same bytes. Deep
 * folders stay where they are instead of being moved away, as with -D: Rock Ridge and every reader of today allow it.
 * Linux shows the first 250 bytes of names that are longer than 253.
 * @throws DriveProblem when the files cannot be on one image, before any of it is written
 */
export function isoImage(files: readonly DriveFile[], options: IsoOptions): Image {
  checkText('label', options.label, LABEL_ROOM)
  checkText('publisher', options.publisher, PUBLISHER_ROOM)
  checkTimestamp(options.timestamp)
  const root = growTree(files)
  const contents = filesOf(root)
  checkSizes(contents)
  const plan = layOut(root, contents, options.timestamp)
  return { size: plan.sectors * SECTOR, chunks: { [Symbol.iterator]: () => chunks(plan, contents, options) } }
}

function filesOf({ folders, files }: Folder): readonly NamedFile[] {
  return [...files, ...folders.flatMap(filesOf)]
}

function checkSizes(files: readonly NamedFile[]): void {
  const large = files.find((file) => file.content.length > FILE_SIZE)
  if (large)
    throw new DriveProblem(`${quote(large.name)} is ${large.content.length} bytes long, of at most ${FILE_SIZE}`)
}

/** One tree with its places, in sectors. */
interface Tree {
  readonly isJoliet: boolean
  readonly directories: readonly Directory[]
  /** Of the directories. */
  readonly extents: readonly number[]
  readonly pathTable: { readonly size: number; readonly littleEndian: number; readonly bigEndian: number }
}

interface Plan {
  readonly trees: readonly Tree[]
  readonly firstDirectory: number
  readonly fileExtents: ReadonlyMap<NamedFile, number>
  readonly sectors: number
}

/** Descriptors, path tables, directories, contents, padding. */
function layOut(root: Folder, files: readonly NamedFile[], timestamp: Date): Plan {
  const dialects: readonly Dialect[] = [primaryDialect(rockRidgeAttributes(timestamp)), jolietDialect]
  const planned = dialects.map((dialect) => planDirectories(root, dialect))
  const [{ length } = { length: 0 }] = planned
  if (length > DIRECTORIES) throw new DriveProblem(`${length} folders are too many: ISO 9660 numbers ${DIRECTORIES}`)
  let sector = FIRST_DESCRIPTOR + DESCRIPTORS
  const take = (sectors: number) => {
    sector += sectors
    return sector - sectors
  }
  const pathTables = planned.map((directories) => {
    const size = pathTableSize(directories)
    return { size, littleEndian: take(sectorsOf(size)), bigEndian: take(sectorsOf(size)) }
  })
  const firstDirectory = sector
  const trees = planned.map((directories, index) => ({
    isJoliet: dialects[index] === jolietDialect,
    directories,
    extents: directories.map(({ size, continuationSectors }) => take(sectorsOf(size) + continuationSectors)),
    pathTable: pathTables[index] ?? { size: 0, littleEndian: 0, bigEndian: 0 },
  }))
  const fileExtents = new Map(files.map((file) => [file, take(sectorsOf(file.content.length))]))
  return { trees, firstDirectory, fileExtents, sectors: sector + PADDING }
}

function* chunks(plan: Plan, files: readonly NamedFile[], options: IsoOptions): Generator<Chunk, undefined> {
  yield { hole: FIRST_DESCRIPTOR * SECTOR }
  yield head(plan, options)
  for (const tree of plan.trees) {
    const places = placesOf(tree, plan)
    for (const [place, directory] of tree.directories.entries()) {
      yield directoryBytes(directory, tree.extents[place] ?? 0, places, options.timestamp)
    }
  }
  const zeros = new Uint8Array(SECTOR)
  for (const { content } of files) {
    if (content.length === 0) continue
    yield content
    const rest = sectorsOf(content.length) * SECTOR - content.length
    if (rest > 0) yield zeros.subarray(0, rest)
  }
  yield { hole: PADDING * SECTOR }
}

function placesOf({ directories, extents }: Tree, { fileExtents }: Plan): Places {
  return {
    directory: (place) => ({ extent: extents[place] ?? 0, size: directories[place]?.size ?? 0 }),
    file: (file) => fileExtents.get(file) ?? 0,
  }
}

/** Descriptors and path tables. */
function head({ trees, firstDirectory, sectors }: Plan, options: IsoOptions): Buffer {
  const bytes = Buffer.alloc((firstDirectory - FIRST_DESCRIPTOR) * SECTOR)
  const from = (sector: number) => bytes.subarray((sector - FIRST_DESCRIPTOR) * SECTOR)
  for (const [index, { isJoliet, directories, extents, pathTable }] of trees.entries()) {
    const root = { extent: extents[0] ?? 0, size: directories[0]?.size ?? 0 }
    writeDescriptor(from(FIRST_DESCRIPTOR + index), { ...options, sectors, pathTable, root, isJoliet })
    writePathTable(from(pathTable.littleEndian), directories, extents, 'littleEndian')
    writePathTable(from(pathTable.bigEndian), directories, extents, 'bigEndian')
  }
  writeTerminator(from(FIRST_DESCRIPTOR + trees.length))
  return bytes
}
