import { driveOf } from '../drive-files.ts'
import { type Drive, DriveProblem, type ImageSource } from '../image.ts'
import { readAt } from '../image-source.ts'
import { SECTOR } from './numbers.ts'
import { readEntries, rockRidgeSkip, type Volume } from './tree-reader.ts'
import { type Descriptor, FIRST_DESCRIPTOR, readDescriptor } from './volume-descriptor.ts'

/** More descriptors than anybody writes. */
const DESCRIPTORS = 100

/** Whether the bytes say that they are an ISO 9660 image. */
export function isIso(source: ImageSource): boolean {
  const start = FIRST_DESCRIPTOR * SECTOR
  if (source.size < start + SECTOR) return false
  return readDescriptor(readAt(source, start, SECTOR, 'the first volume descriptor'), start) !== undefined
}

/**
 * Reads any ISO 9660 image, not only ours: names are those of Rock Ridge where it is there, else of Joliet, else the
 * primary tree's without their versions.
 * @throws DriveProblem when it is truncated or damaged, or lies about itself
 */
export function readIso(source: ImageSource): Drive {
  const descriptors = readDescriptors(source)
  const primary = descriptors.find(({ kind }) => kind === 'primary')
  if (!primary) throw new DriveProblem('there is no primary volume descriptor', FIRST_DESCRIPTOR * SECTOR)
  checkBlockSize(primary)
  const entries = readEntries(source, preferredVolume(source, primary, descriptors))
  return driveOf(source, { format: 'iso9660', label: primary.label, size: primary.size }, entries)
}

function readDescriptors(source: ImageSource): readonly Descriptor[] {
  const descriptors: Descriptor[] = []
  for (let sector = FIRST_DESCRIPTOR; sector < FIRST_DESCRIPTOR + DESCRIPTORS; sector += 1) {
    const at = sector * SECTOR
    const descriptor = readDescriptor(readAt(source, at, SECTOR, 'a volume descriptor'), at)
    if (!descriptor) throw new DriveProblem('the volume descriptors have no end: here should be another', at)
    if (descriptor.kind === 'terminator') return descriptors
    descriptors.push(descriptor)
  }
  throw new DriveProblem(`more than ${DESCRIPTORS} volume descriptors`, FIRST_DESCRIPTOR * SECTOR)
}

/** ECMA-119 §6.2.2: a power of two from 512 to a sector. */
function checkBlockSize({ blockSize }: Descriptor): void {
  if ([512, 1024, SECTOR].includes(blockSize)) return
  throw new DriveProblem(`a logical block of ${blockSize} bytes`, FIRST_DESCRIPTOR * SECTOR)
}

function preferredVolume(source: ImageSource, primary: Descriptor, descriptors: readonly Descriptor[]): Volume {
  const own = volumeOf(primary, 'rock-ridge')
  const skip = rockRidgeSkip(source, own)
  if (skip !== undefined) return { ...own, skip }
  const joliet = descriptors.find(({ kind }) => kind === 'joliet')
  if (!joliet) return { ...own, names: 'primary' }
  checkBlockSize(joliet)
  return volumeOf(joliet, 'joliet')
}

function volumeOf({ root, blockSize }: Descriptor, names: Volume['names']): Volume {
  if (!root) throw new DriveProblem('a volume descriptor names no root directory', FIRST_DESCRIPTOR * SECTOR)
  return { root, blockSize, names, skip: 0 }
}
