import { type Folder, growTree, type NamedFile, quote } from '../files.ts'
import { type Chunk, type DriveFile, DriveProblem, type Image } from '../image.ts'
import { checkText, checkTimestamp } from '../options.ts'
import { FIRST_CLUSTER, type Run, tableBytes } from './allocation-table.ts'
import { reservedSectors } from './boot-sector.ts'
import { slotsOf, writeEntry, writeLabel } from './directory-entry.ts'
import { ENTRY, FATS, FOLDER_BYTES, type Geometry, geometryOf, regionsOf } from './geometry.ts'
import { type FatName, fatNames } from './names.ts'

export interface VfatOptions {
  /** At most 11 characters of ASCII. Case is kept, as mkfs.vfat keeps it. */
  readonly label: string
  /** Of the whole image: a multiple of 512. Nova's are 64 MiB. */
  readonly sizeBytes: number
  /** Of everything on it, to two seconds, in UTC. */
  readonly timestamp: Date
  /** 32 bits that tell volumes apart. */
  readonly serial: number
}

const LABEL_ROOM = 11

/**
 * A VFAT image as `mkfs.vfat -n LABEL` makes it in a file of this size, FAT12, FAT16 or FAT32 by its size, and the
 * files copied to it. The same input gives the same bytes. What nothing is in is a hole.
 * @throws DriveProblem when the files cannot be on it, or have no room, before any of it is written
 */
export function vfatImage(files: readonly DriveFile[], options: VfatOptions): Image {
  checkText('label', options.label, LABEL_ROOM)
  checkTimestamp(options.timestamp)
  const { serial, sizeBytes } = options
  if (!Number.isInteger(serial) || serial < 0 || serial > 0xffff_ffff) {
    throw new DriveProblem(`the serial number ${serial} is none of 32 bits`)
  }
  const plan = layOut(growTree(files), geometryOf(sizeBytes), sizeBytes)
  return { size: sizeBytes, chunks: { [Symbol.iterator]: () => chunks(plan, options) } }
}

/** A folder and what is in it, before anything has its clusters. */
interface FatFolder {
  readonly path: string
  readonly parent: number
  readonly entries: readonly { readonly name: FatName; readonly target: NamedFile | number }[]
  /** Of its entries. */
  readonly bytes: number
}

interface Plan {
  readonly geometry: Geometry
  readonly folders: readonly FatFolder[]
  readonly files: readonly NamedFile[]
  /** Of folders and files in their order; no clusters for the root of FAT12 and FAT16, nor for an empty file. */
  readonly runs: ReadonlyMap<FatFolder | NamedFile, Run>
}

function layOut(root: Folder, geometry: Geometry, sizeBytes: number): Plan {
  const folders = planFolders(root)
  const files = folders.flatMap(({ entries }) => entries.flatMap(({ target }) => (isFile(target) ? [target] : [])))
  const { clusterBytes } = regionsOf(geometry)
  const clustersOf = (bytes: number) => Math.ceil(bytes / clusterBytes)
  const runs = new Map<FatFolder | NamedFile, Run>()
  let next = FIRST_CLUSTER
  const take = (owner: FatFolder | NamedFile, count: number) => {
    runs.set(owner, { first: count === 0 ? 0 : next, count })
    next += count
  }
  for (const [place, folder] of folders.entries()) {
    const isFixed = place === 0 && geometry.rootEntries > 0
    checkFolder(folder, isFixed ? geometry.rootEntries * ENTRY : FOLDER_BYTES)
    take(folder, isFixed ? 0 : Math.max(1, clustersOf(folder.bytes)))
  }
  for (const file of files) take(file, clustersOf(file.content.length))
  const needed = next - FIRST_CLUSTER
  if (needed > geometry.clusters) {
    const room = `a drive of ${sizeBytes} bytes has room for ${geometry.clusters * clusterBytes}`
    throw new DriveProblem(`the files take ${needed * clusterBytes} bytes (clusters of ${clusterBytes}), and ${room}`)
  }
  return { geometry, folders, files, runs }
}

function isFile(target: NamedFile | number): target is NamedFile {
  return typeof target !== 'number'
}

function checkFolder({ path, bytes }: FatFolder, room: number): void {
  if (bytes <= room) return
  const what = path === '' ? 'the root' : `the folder ${quote(path)}`
  throw new DriveProblem(
    `${what} needs ${bytes / ENTRY} directory entries of at most ${room / ENTRY}; a long name needs several`,
  )
}

/** Level by level, the root first. */
function planFolders(root: Folder): readonly FatFolder[] {
  const waiting = [{ folder: root, path: '', parent: 0 }]
  const planned: FatFolder[] = []
  for (const { folder, path, parent } of waiting) {
    const place = planned.length
    const children = [...folder.folders, ...folder.files]
    const names = fatNames(
      children.map(({ name }) => name),
      path,
    )
    const entries = children.flatMap((child, index): FatFolder['entries'] => {
      const name = names[index]
      if (name === undefined) return []
      if ('content' in child) return [{ name, target: child }]
      return [{ name, target: waiting.push({ folder: child, path: `${path}${child.name}/`, parent: place }) - 1 }]
    })
    const slots = entries.reduce((sum, { name }) => sum + slotsOf(name), place === 0 ? 1 : 2)
    planned.push({ path, parent, entries, bytes: slots * ENTRY })
  }
  return planned
}

function* chunks(plan: Plan, options: VfatOptions): Generator<Chunk, undefined> {
  const { geometry, folders, files, runs } = plan
  const { fatBytes, root, data, clusterBytes } = regionsOf(geometry)
  const used = [...runs.values()].filter(({ count }) => count > 0)
  const usedClusters = used.reduce((sum, { count }) => sum + count, 0)
  yield reservedSectors(geometry, options, usedClusters)
  const table = tableBytes(used, geometry.fatBits)
  for (let fat = 0; fat < FATS; fat += 1) yield* padded(table, fatBytes)
  for (const [place, folder] of folders.entries()) {
    const { count } = runs.get(folder) ?? { count: 0 }
    yield* padded(folderBytes(place, plan, options), count === 0 ? data - root : count * clusterBytes)
  }
  for (const { content } of files) yield* padded(content, Math.ceil(content.length / clusterBytes) * clusterBytes)
  yield* hole(options.sizeBytes - data - usedClusters * clusterBytes)
}

function* padded(bytes: Uint8Array, length: number): Generator<Chunk, undefined> {
  if (bytes.length > 0) yield bytes
  yield* hole(length - bytes.length)
}

function* hole(length: number): Generator<Chunk, undefined> {
  if (length > 0) yield { hole: length }
}

const DOTS = ['.', '..'].map((name) => ({ alias: name.padEnd(11), lowerCase: 0, long: undefined }))

/** The label stands in the root; every other folder begins with itself and the one above, which is 0 if it is the root. */
function folderBytes(place: number, { folders, runs }: Plan, { label, timestamp }: VfatOptions): Buffer {
  const folder = folders[place]
  if (folder === undefined) return Buffer.alloc(0)
  const bytes = Buffer.alloc(folder.bytes)
  const clusterOf = (owner: FatFolder | NamedFile | undefined) => (owner && runs.get(owner)?.first) ?? 0
  let offset = place === 0 ? writeLabel(bytes, label, timestamp) : 0
  const above = folder.parent === 0 ? undefined : folders[folder.parent]
  for (const [index, name] of (place === 0 ? [] : DOTS).entries()) {
    const cluster = clusterOf(index === 0 ? folder : above)
    offset = writeEntry(bytes, offset, { name, isDirectory: true, cluster, size: 0 }, timestamp)
  }
  for (const { name, target } of folder.entries) {
    const cluster = clusterOf(isFile(target) ? target : folders[target])
    const size = isFile(target) ? target.content.length : 0
    offset = writeEntry(bytes, offset, { name, isDirectory: !isFile(target), cluster, size }, timestamp)
  }
  return bytes
}
