import { type Drive, DriveProblem, type ImageSource } from './image.ts'
import { readAt } from './image-source.ts'
import { isIso, readIso } from './iso9660/read.ts'
import { isVfat, readVfat } from './vfat/read.ts'

/** What else people have lying about under the name of a disk. */
const OTHERS = [
  { start: [0x51, 0x46, 0x49, 0xfb], is: 'a qcow2 image: convert it with `qemu-img convert -O raw` first' },
  { start: [0x1f, 0x8b], is: 'gzip data: unpack it first' },
  { start: [0x28, 0xb5, 0x2f, 0xfd], is: 'zstd data: unpack it first' },
  { start: [0xfd, 0x37, 0x7a, 0x58, 0x5a], is: 'xz data: unpack it first' },
  { start: [0x4b, 0x44, 0x4d, 0x56], is: 'a VMDK image: convert it with `qemu-img convert -O raw` first' },
  { start: [0x50, 0x4b, 0x03, 0x04], is: 'a ZIP archive' },
  { start: [0x68, 0x73, 0x71, 0x73], is: 'a SquashFS image' },
  { start: [0x7f, 0x45, 0x4c, 0x46], is: 'a program' },
] as const

/**
 * Reads a drive of either format, whoever made it. Which it is, its bytes tell. Damage that would show in any file
 * shows here already; contents are read when asked for.
 * @throws DriveProblem when it is no drive, or a damaged one
 */
export function readImage(source: ImageSource): Drive {
  if (isIso(source)) return readIso(source)
  if (isVfat(source)) return readVfat(source)
  throw new DriveProblem(`this is neither an ISO 9660 nor a FAT image: ${guess(source)}`)
}

function guess(source: ImageSource): string {
  if (source.size === 0) return 'it is empty'
  const start = readAt(source, 0, Math.min(source.size, 4096), 'the start of the image')
  const other = OTHERS.find((row) => row.start.every((byte, index) => start[index] === byte))
  if (other) return `it is ${other.is}`
  if (start.every((byte) => byte === 0)) return 'it begins with zeros, and there is no volume descriptor at byte 32768'
  return `it has ${source.size} bytes, and neither a volume descriptor at byte 32768 nor a boot sector`
}
