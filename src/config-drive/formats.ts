import { createHash } from 'node:crypto'
import type { Release } from '../documents/release.ts'
import type { DriveFile, DriveFormat, Image } from './image.ts'
import { isoImage } from './iso9660/write.ts'
import { PRODUCT, productVersion } from './product.ts'
import { vfatImage } from './vfat/write.ts'

/** The label by which guests find a config drive. Clients that compare case (afterburn) want it just so. */
export const CONFIG_DRIVE_LABEL = 'config-2'

/** Nova's, in bytes. */
export const VFAT_BYTES = 64 * 1024 * 1024

/** How a hypervisor shows a drive of each format to its guest, and what that means for live migration. */
export const FORMATS = {
  iso9660: {
    device: 'cdrom',
    migration:
      'read-only, so block live migration does not mirror it: libvirt before 1.2.17 cannot, and Nova up to 2024.2 copies it to the destination by ssh itself. With shared storage nothing is to be done',
  },
  vfat: {
    device: 'disk',
    migration:
      'an ordinary disk that block live migration mirrors like any other; but the guest can write to it, and some guests (afterburn) read only ISO 9660',
  },
} as const satisfies Record<DriveFormat, { readonly device: 'cdrom' | 'disk'; readonly migration: string }>

export interface DriveImageOptions {
  readonly format: DriveFormat
  /** Of the volume and everything on it. */
  readonly timestamp: Date
  /** Tells volumes apart; an ISO has no such number. */
  readonly seed: Uint8Array
  /** Bytes of a VFAT image; an ISO is as large as it has to be. */
  readonly sizeBytes?: number
  readonly label?: string
  readonly release: Release
}

/** @throws DriveProblem when the files cannot be on such a drive: names that collide, too much for its size */
export function driveImage(files: readonly DriveFile[], options: DriveImageOptions): Image {
  const { format, timestamp, seed, sizeBytes = VFAT_BYTES, label = CONFIG_DRIVE_LABEL, release } = options
  if (format === 'iso9660') return isoImage(files, { label, publisher: publisher(release), timestamp })
  const serial = createHash('sha256').update(seed).digest().readUInt32LE(0)
  return vfatImage(files, { label, sizeBytes, timestamp, serial })
}

export function publisher(release: Release): string {
  return `${PRODUCT.name} ${productVersion(release)}`
}
