import { DriveProblem } from '../image.ts'
import { FATS, type FatBits, type Geometry, SECTOR } from './geometry.ts'

/** The boot sector with its BIOS parameter block, and FSInfo (Microsoft, FAT specification 1.03). Numbers are little-endian. */

const OEM_NAME = 3 // 8 bytes
const SECTOR_SIZE = 11 // 2
const SECTORS_PER_CLUSTER = 13 // 1
const RESERVED_SECTORS = 14 // 2
const FAT_COUNT = 16 // 1
const ROOT_ENTRIES = 17 // 2
const SECTORS_16 = 19 // 2: 0 when 16 bits do not hold it
const MEDIA = 21 // 1
const FAT_SECTORS_16 = 22 // 2: 0 for FAT32
const SECTORS_PER_TRACK = 24 // 2
const HEADS = 26 // 2
const SECTORS_32 = 32 // 4
const FAT_SECTORS_32 = 36 // 4, FAT32 only, as the next three
const ROOT_CLUSTER = 44 // 4
const FS_INFO = 48 // 2: sector
const BACKUP = 50 // 2: sector
const EXTENDED_16 = 36 // where the part begins that FAT32 has further behind
const EXTENDED_32 = 64
const SIGNATURE = 510 // 2

/** From where the extended part begins. */
const EXTENDED = { drive: 0, signature: 2, serial: 3, label: 7, type: 18, code: 26 }
const EXTENDED_SIGNATURE = 0x29
const HARD_DISK = 0x80
export const FIXED_DISK_MEDIA = 0xf8

/** Where FAT32 has FSInfo, and the copies of both. */
const FS_INFO_SECTOR = 1
const BACKUP_SECTOR = 6
export const FAT32_ROOT_CLUSTER = 2

const LABEL_LENGTH = 11

/** For a machine that would start from it: `hlt`, and again. */
const STOP = Uint8Array.of(0xf4, 0xeb, 0xfd)

export interface Identity {
  readonly label: string
  readonly serial: number
}

export function bootSector(geometry: Geometry, { label, serial }: Identity): Buffer {
  const bytes = Buffer.alloc(SECTOR)
  const isFat32 = geometry.fatBits === 32
  const extended = isFat32 ? EXTENDED_32 : EXTENDED_16
  bytes.set([0xeb, extended + EXTENDED.code - 2, 0x90]) // a jump over all this; readers look for it
  bytes.write('mkfs.fat', OEM_NAME, 'latin1') // some readers know systems by it, so it is the one they know best
  bytes.writeUInt16LE(SECTOR, SECTOR_SIZE)
  bytes[SECTORS_PER_CLUSTER] = geometry.sectorsPerCluster
  bytes.writeUInt16LE(geometry.reservedSectors, RESERVED_SECTORS)
  bytes[FAT_COUNT] = FATS
  bytes.writeUInt16LE(geometry.rootEntries, ROOT_ENTRIES)
  if (geometry.sectors < 0x10000) bytes.writeUInt16LE(geometry.sectors, SECTORS_16)
  else bytes.writeUInt32LE(geometry.sectors, SECTORS_32)
  bytes[MEDIA] = FIXED_DISK_MEDIA
  bytes.writeUInt16LE(geometry.sectorsPerTrack, SECTORS_PER_TRACK)
  bytes.writeUInt16LE(geometry.heads, HEADS)
  if (isFat32) {
    bytes.writeUInt32LE(geometry.fatSectors, FAT_SECTORS_32)
    bytes.writeUInt32LE(FAT32_ROOT_CLUSTER, ROOT_CLUSTER)
    bytes.writeUInt16LE(FS_INFO_SECTOR, FS_INFO)
    bytes.writeUInt16LE(BACKUP_SECTOR, BACKUP)
  } else bytes.writeUInt16LE(geometry.fatSectors, FAT_SECTORS_16)
  bytes[extended + EXTENDED.drive] = HARD_DISK
  bytes[extended + EXTENDED.signature] = EXTENDED_SIGNATURE
  bytes.writeUInt32LE(serial, extended + EXTENDED.serial)
  bytes.write(padLabel(label), extended + EXTENDED.label, 'latin1')
  bytes.write(`FAT${geometry.fatBits}`.padEnd(8), extended + EXTENDED.type, 'latin1')
  bytes.set(STOP, extended + EXTENDED.code)
  sign(bytes)
  return bytes
}

export function padLabel(label: string): string {
  return label.padEnd(LABEL_LENGTH)
}

function sign(sector: Buffer): void {
  sector.writeUInt16LE(0xaa55, SIGNATURE)
}

/** FSInfo: a hint for whoever writes on. */
function fsInfo(free: number, next: number): Buffer {
  const bytes = Buffer.alloc(SECTOR)
  bytes.writeUInt32LE(0x41615252, 0)
  bytes.writeUInt32LE(0x61417272, 484)
  bytes.writeUInt32LE(free, 488)
  bytes.writeUInt32LE(next, 492)
  sign(bytes)
  return bytes
}

/** All reserved sectors. @param used  clusters */
export function reservedSectors(geometry: Geometry, identity: Identity, used: number): Buffer {
  const bytes = Buffer.alloc(geometry.reservedSectors * SECTOR)
  const boot = bootSector(geometry, identity)
  bytes.set(boot)
  if (geometry.fatBits === 32) {
    const info = fsInfo(geometry.clusters - used, used + 1)
    for (const first of [0, BACKUP_SECTOR]) {
      bytes.set(boot, first * SECTOR)
      bytes.set(info, (first + FS_INFO_SECTOR) * SECTOR)
    }
  }
  return bytes
}

/** Of what is read: 64 GiB in clusters of 4 KiB. A sparse file can claim any number, and each takes memory. */
const MOST_CLUSTERS = 2 ** 24

export interface BootRecord {
  readonly geometry: Geometry
  readonly sectorSize: number
  readonly fats: number
  readonly rootCluster: number
  /** As it is here; that of the root directory counts more. */
  readonly label: string
}

/** Whether a sector can be the first of a FAT volume. */
export function isBootSector(bytes: Buffer): boolean {
  const jumps = bytes[0] === 0xeb || bytes[0] === 0xe9
  return jumps && bytes.readUInt16LE(SIGNATURE) === 0xaa55 && isPowerOfTwo(bytes.readUInt16LE(SECTOR_SIZE))
}

/** @throws DriveProblem when the numbers do not make a volume */
export function readBootSector(bytes: Buffer): BootRecord {
  const sectorSize = bytes.readUInt16LE(SECTOR_SIZE)
  const sectorsPerCluster = bytes[SECTORS_PER_CLUSTER] ?? 0
  const fats = bytes[FAT_COUNT] ?? 0
  const is32 = bytes.readUInt16LE(FAT_SECTORS_16) === 0
  const extended = is32 ? EXTENDED_32 : EXTENDED_16
  const sectors = bytes.readUInt16LE(SECTORS_16) || bytes.readUInt32LE(SECTORS_32)
  const reserved = bytes.readUInt16LE(RESERVED_SECTORS)
  const fatSectors = bytes.readUInt16LE(FAT_SECTORS_16) || bytes.readUInt32LE(FAT_SECTORS_32)
  const rootEntries = bytes.readUInt16LE(ROOT_ENTRIES)
  const rootSectors = Math.ceil((rootEntries * 32) / sectorSize)
  refuse(sectorSize < 512 || sectorSize > 4096, `sectors of ${sectorSize} bytes`, SECTOR_SIZE)
  refuse(!isPowerOfTwo(sectorsPerCluster), `clusters of ${sectorsPerCluster} sectors`, SECTORS_PER_CLUSTER)
  refuse(fats === 0, 'no file allocation table', FAT_COUNT)
  refuse(reserved === 0, 'no reserved sectors', RESERVED_SECTORS)
  const dataSectors = sectors - reserved - fats * fatSectors - rootSectors
  const clusters = Math.floor(dataSectors / sectorsPerCluster)
  refuse(clusters < 1, `${sectors} sectors, which its own tables fill`, SECTORS_16)
  refuse(clusters > MOST_CLUSTERS, `${clusters} clusters, which no config drive has`, SECTORS_32)
  const fatBits = bitsFor(clusters, is32)
  refuse(((clusters + 2) * fatBits) / 8 > fatSectors * sectorSize, 'more clusters than its tables have', FAT_SECTORS_16)
  return {
    geometry: {
      ...{ fatBits, sectors, sectorsPerCluster, reservedSectors: reserved, fatSectors, rootEntries, clusters },
      sectorsPerTrack: bytes.readUInt16LE(SECTORS_PER_TRACK),
      heads: bytes.readUInt16LE(HEADS),
    },
    sectorSize,
    fats,
    rootCluster: is32 ? bytes.readUInt32LE(ROOT_CLUSTER) : 0,
    label: readLabel(bytes.subarray(extended + EXTENDED.label), bytes[extended + EXTENDED.signature]),
  }
}

/** Linux, too, takes FAT32 for what has its longer boot sector, however few its clusters are. */
function bitsFor(clusters: number, is32: boolean): FatBits {
  if (is32) return 32
  return clusters < 4085 ? 12 : 16
}

function readLabel(bytes: Buffer, signature: number | undefined): string {
  if (signature !== EXTENDED_SIGNATURE) return ''
  const label = bytes.toString('latin1', 0, LABEL_LENGTH).trimEnd()
  return label === 'NO NAME' ? '' : label
}

function refuse(isWrong: boolean, what: string, offset: number): void {
  if (isWrong) throw new DriveProblem(`the boot sector tells of ${what}`, offset)
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0
}
