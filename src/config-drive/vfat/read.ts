import { driveOf, type FoundEntry } from '../drive-files.ts'
import { isTreacherous, PATH_BYTES, quote } from '../files.ts'
import { type Drive, DriveProblem, type ImageSource } from '../image.ts'
import { type Extent, readAt, readExtents } from '../image-source.ts'
import { FIRST_CLUSTER, nextCluster } from './allocation-table.ts'
import { type BootRecord, isBootSector, readBootSector } from './boot-sector.ts'
import { type ReadEntry, readEntries } from './directory-entry.ts'
import { ENTRY, FOLDER_BYTES, regionsOf, SECTOR } from './geometry.ts'

/** Whether the bytes say that they are a FAT volume. */
export function isVfat(source: ImageSource): boolean {
  return source.size >= SECTOR && isBootSector(readAt(source, 0, SECTOR, 'the boot sector'))
}

/** A folder that is still to be looked into. Without extents: its clusters are still to be followed. */
interface Waiting {
  readonly path: string
  readonly extents: readonly Extent[]
}

/**
 * Reads any volume of FAT12, FAT16 or FAT32, not only ours.
 * @throws DriveProblem when it is truncated or damaged, or a cluster belongs to two files
 */
export function readVfat(source: ImageSource): Drive {
  const boot = readBootSector(readAt(source, 0, SECTOR, 'the boot sector'))
  const { label, entries } = readFolders(source, boot)
  const size = boot.geometry.sectors * boot.sectorSize
  return driveOf(source, { format: 'vfat', label: label ?? boot.label, size }, entries)
}

function readFolders(source: ImageSource, boot: BootRecord) {
  const follow = chains(source, boot)
  const waiting: Waiting[] = [{ path: '', extents: rootExtents(boot, follow) }]
  const entries: FoundEntry[] = []
  let label: string | undefined
  for (const { path, extents } of waiting) {
    const bytes = readExtents(source, extents, `the folder ${quote(`/${path}`)}`)
    for (const entry of readEntries(bytes)) {
      const at = placeOf(entry.offset, extents)
      if (entry.kind === 'label') {
        if (path === '') label ??= entry.name
        continue
      }
      const file = describe(source, path, entry, at, follow)
      if (entry.kind === 'directory') waiting.push({ path: file.path, extents: file.extents })
      entries.push(entry.kind === 'directory' ? { ...file, extents: [] } : file)
    }
  }
  return { label, entries }
}

/** @param needed  in bytes; undefined: to the end of the chain @param what  for messages @param at  of the entry */
type Follow = (first: number, needed: number | undefined, what: string, at: number) => readonly Extent[]

function rootExtents({ geometry, sectorSize, fats, rootCluster }: BootRecord, follow: Follow): readonly Extent[] {
  if (geometry.fatBits === 32) return follow(rootCluster, undefined, 'the root', 0)
  const { root } = regionsOf(geometry, sectorSize, fats)
  return [{ offset: root, size: geometry.rootEntries * ENTRY }]
}

/** Follows chains, and lets no cluster be followed twice: neither round in a circle nor into another file. */
function chains(source: ImageSource, { geometry, sectorSize, fats }: BootRecord): Follow {
  const { fat, data, clusterBytes } = regionsOf(geometry, sectorSize, fats)
  const { fatBits, clusters } = geometry
  const table = readAt(source, fat, Math.ceil(((clusters + FIRST_CLUSTER) * fatBits) / 8), 'the file allocation table')
  const taken = new Uint8Array(clusters + FIRST_CLUSTER)
  return (first, needed, what, at) => {
    const extents: { offset: number; size: number }[] = []
    let length = 0
    let cluster: number | undefined = first
    while (cluster !== undefined && (needed === undefined || length < needed)) {
      if (cluster < FIRST_CLUSTER || cluster >= clusters + FIRST_CLUSTER) {
        throw new DriveProblem(`${what} is said to be in cluster ${cluster}, of ${clusters}`, at)
      }
      if (taken[cluster]) throw new DriveProblem(`${what} comes to cluster ${cluster}, which is taken already`, at)
      taken[cluster] = 1
      const offset = data + (cluster - FIRST_CLUSTER) * clusterBytes
      const last = extents.at(-1)
      if (last && last.offset + last.size === offset) last.size += clusterBytes
      else extents.push({ offset, size: clusterBytes })
      length += clusterBytes
      if (needed === undefined && length > FOLDER_BYTES + clusterBytes) {
        throw new DriveProblem(`${what} has more than ${FOLDER_BYTES / ENTRY} entries`, at)
      }
      cluster = nextCluster(table, cluster, fatBits)
    }
    if (needed !== undefined && length < needed) {
      throw new DriveProblem(`${what} should have ${needed} bytes, but its clusters hold ${length}`, at)
    }
    return extents
  }
}

function describe(source: ImageSource, within: string, entry: ReadEntry, at: number, follow: Follow): FoundEntry {
  const { name, kind, cluster, size } = entry
  if (isTreacherous(name)) throw new DriveProblem(`a name is ${quote(name)}, which is none`, at)
  const path = within === '' ? name : `${within}/${name}`
  if (path.length > PATH_BYTES) throw new DriveProblem(`a path of ${path.length} characters`, at)
  if (kind === 'directory') {
    return { path, kind, size: 0, extents: follow(cluster, undefined, `the folder ${quote(path)}`, at) }
  }
  const extents = size === 0 ? [] : follow(cluster, size, quote(path), at)
  const outside = extents.find((extent) => extent.offset + extent.size > source.size)
  if (outside) {
    throw new DriveProblem(
      `${quote(path)} should have ${size} bytes, but the image ends at ${source.size}`,
      outside.offset,
    )
  }
  return { path, kind: 'file', size, extents }
}

function placeOf(offset: number, extents: readonly Extent[]): number {
  let left = offset
  for (const extent of extents) {
    if (left < extent.size) return extent.offset + left
    left -= extent.size
  }
  return 0
}
