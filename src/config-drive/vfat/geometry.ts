import { DriveProblem } from '../image.ts'

/** How a FAT volume of a given size is divided, as mkfs.vfat of dosfstools 4.2 divides it. Pure. */

export const SECTOR = 512
export const ENTRY = 32 // bytes of a directory entry
export const FATS = 2

/** A folder cannot be larger, on any FAT. */
export const FOLDER_BYTES = 65_536 * ENTRY

export type FatBits = 12 | 16 | 32

export interface Geometry {
  /** How readers number clusters; they work it out from the number of clusters. */
  readonly fatBits: FatBits
  /** May be less than the image has: tracks are whole. */
  readonly sectors: number
  readonly sectorsPerCluster: number
  readonly reservedSectors: number
  /** Of one file allocation table. */
  readonly fatSectors: number
  /** 0 for FAT32, whose root is a chain as any folder. */
  readonly rootEntries: number
  readonly clusters: number
  readonly sectorsPerTrack: number
  readonly heads: number
}

const SMALLEST = 64 * 1024
const LARGEST = 8 * 1024 ** 3
const FAT32_FROM = 512 * 1024 ** 2

/** Up to so many sectors, nothing is aligned to clusters. */
const ALIGNED_ABOVE = 8192

/** What old drives would report (SD specification, part 2, appendix C). mtools wants whole tracks. */
const TRACKS = [
  { upTo: 4096, sectorsPerTrack: 16, heads: 2 },
  { upTo: 32_768, sectorsPerTrack: 32, heads: 2 },
  { upTo: 65_536, sectorsPerTrack: 32, heads: 4 },
  { upTo: 262_144, sectorsPerTrack: 32, heads: 8 },
  { upTo: 524_288, sectorsPerTrack: 32, heads: 16 },
  { upTo: 1_032_192, sectorsPerTrack: 63, heads: 16 },
  { upTo: 2_064_384, sectorsPerTrack: 63, heads: 32 },
  { upTo: 4_128_768, sectorsPerTrack: 63, heads: 64 },
  { upTo: 8_257_536, sectorsPerTrack: 63, heads: 128 },
  { upTo: Number.POSITIVE_INFINITY, sectorsPerTrack: 63, heads: 255 },
] as const

/** Fewer clusters than this are FAT12, whatever anybody meant (Microsoft, FAT specification 1.03). */
const FAT16_FROM = 4085

/** mkfs.vfat stays clear of the limits. */
const MOST_CLUSTERS = { 12: 4082, 16: 65_522, 32: 268_435_444 } as const

/** @throws DriveProblem when there is no FAT of this size */
export function geometryOf(sizeBytes: number): Geometry {
  if (!Number.isInteger(sizeBytes / SECTOR))
    throw new DriveProblem(`${sizeBytes} bytes are not a multiple of ${SECTOR}`)
  if (sizeBytes < SMALLEST || sizeBytes > LARGEST) {
    throw new DriveProblem(`a VFAT drive has ${SMALLEST} to ${LARGEST} bytes, not ${sizeBytes}`)
  }
  const track = TRACKS.find(({ upTo }) => sizeBytes / SECTOR <= upTo) ?? TRACKS[0]
  const { sectorsPerTrack, heads } = track
  const sectors = Math.floor(sizeBytes / SECTOR / sectorsPerTrack) * sectorsPerTrack
  const divided = sizeBytes >= FAT32_FROM ? [divide(32, sectors, 8)] : smallFat(sectors)
  const most = divided.reduce((best, next) => (next.clusters > best.clusters ? next : best))
  return { ...most, sectors, sectorsPerTrack, heads }
}

type Division = Omit<Geometry, 'sectors' | 'sectorsPerTrack' | 'heads'>

/** FAT12 and FAT16 with the smallest clusters, from 2 KiB on, with which either is possible. */
function smallFat(sectors: number): readonly Division[] {
  for (const sectorsPerCluster of [4, 8, 16, 32, 64]) {
    const possible = ([12, 16] as const).map((bits) => divide(bits, sectors, sectorsPerCluster)).filter(isPossible)
    if (possible.length > 0) return possible
  }
  throw new DriveProblem(`no FAT has ${sectors} sectors`)
}

function isPossible({ fatBits, clusters, fatSectors }: Division): boolean {
  if (fatBits === 16 && clusters < FAT16_FROM) return false
  return clusters <= Math.min(MOST_CLUSTERS[fatBits], Math.floor((fatSectors * SECTOR * 8) / fatBits) - 2)
}

function divide(fatBits: FatBits, sectors: number, sectorsPerCluster: number): Division {
  const align = (count: number) =>
    sectors > ALIGNED_ABOVE ? Math.ceil(count / sectorsPerCluster) * sectorsPerCluster : count
  const rootEntries = fatBits === 32 ? 0 : 512
  const reservedSectors = align(fatBits === 32 ? 32 : 1)
  const room = sectors - reservedSectors - align((rootEntries * ENTRY) / SECTOR)
  const bytesPerEntry = fatBits / 8
  const guess = Math.floor(
    (room * SECTOR + 2 * FATS * bytesPerEntry) / (sectorsPerCluster * SECTOR + FATS * bytesPerEntry),
  )
  const fatSectors = align(Math.ceil(Math.ceil((guess + 2) * bytesPerEntry) / SECTOR))
  const clusters = Math.floor((room - FATS * fatSectors) / sectorsPerCluster)
  return { fatBits, sectorsPerCluster, reservedSectors, fatSectors, rootEntries, clusters }
}

/** Where the parts of a volume begin, in bytes. */
export interface Regions {
  readonly fat: number
  readonly fatBytes: number
  readonly root: number
  readonly data: number
  readonly clusterBytes: number
}

export function regionsOf(geometry: Geometry, sector = SECTOR, fats = FATS): Regions {
  const { reservedSectors, fatSectors, rootEntries, sectorsPerCluster } = geometry
  const root = (reservedSectors + fats * fatSectors) * sector
  return {
    fat: reservedSectors * sector,
    fatBytes: fatSectors * sector,
    root,
    data: root + Math.ceil((rootEntries * ENTRY) / sector) * sector,
    clusterBytes: sectorsPerCluster * sector,
  }
}
