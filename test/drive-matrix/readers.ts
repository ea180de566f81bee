import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { readDrive } from '../../src/cli/config-drive/documents.ts'
import type { DriveFormat } from '../../src/config-drive/image.ts'
import { type DriveGuest, type DriveGuests, drivePrints } from '../support/drive-guests.ts'
import { bytesOf, ISO_UNPACKERS, readTree, run, type Unpacker, VFAT_UNPACKERS } from '../support/foreign-readers.ts'
import { libvirtStarts } from './libvirt.ts'

/** One image, and the guest that has booted from it. */
export interface Sample {
  readonly guest: DriveGuest
  readonly format: DriveFormat
  readonly image: string
  readonly guests: DriveGuests
}

export interface Reader {
  readonly title: string
  /** What a table shows: `yes`, `no: WHY`, or a dash where the reader is not for the format. */
  readonly reads: (sample: Sample) => Promise<string>
}

export const READERS: readonly Reader[] = [
  reader('isoinfo', ['iso9660'], ({ image }) => {
    const listed = bytesOf('isoinfo', ['-i', image, '-R', '-f']).toString().trim().split('\n')
    const missing = [...readDrive(image).documents.keys()].filter((path) => !listed.includes(`/${path}`))
    return missing.length === 0
  }),
  ...[
    ...ISO_UNPACKERS.map((each) => unpacking(each, 'iso9660')),
    ...VFAT_UNPACKERS.map((each) => unpacking(each, 'vfat')),
  ],
  reader('fsck.vfat', ['vfat'], ({ image }) => run('fsck.vfat', ['-n', image]) !== ''),
  reader('Linux', ['iso9660', 'vfat'], ({ guest, image, guests }) =>
    isDeepStrictEqual(guests.said(guest, 'file').toSorted(), drivePrints(image)),
  ),
  reader('cloud-init', ['iso9660', 'vfat'], ({ guest, guests }) => {
    const [source = ''] = guests.said(guest, 'datasource')
    return source.startsWith('DataSourceConfigDrive') && guests.said(guest, 'hostname').includes(guest.name)
  }),
  { title: 'libvirt', reads: async (sample) => verdict(() => libvirtStarts(sample)) },
]

function reader(title: string, formats: readonly DriveFormat[], reads: (sample: Sample) => boolean): Reader {
  return {
    title,
    reads: async (sample) => (formats.includes(sample.format) ? verdict(async () => reads(sample)) : '–'),
  }
}

/** Everything is taken out, and the same as our own reader finds. */
function unpacking({ name, unpack }: Unpacker, format: DriveFormat): Reader {
  return reader(name, [format], ({ image }) => {
    const into = mkdtempSync(join(tmpdir(), 'firstboot-matrix-'))
    try {
      unpack(image, into)
      const [found, wanted] = [readTree(into), readDrive(image).documents]
      return found.size === wanted.size && [...wanted].every(([path, body]) => found.get(path)?.equals(body))
    } finally {
      rmSync(into, { recursive: true })
    }
  })
}

async function verdict(reads: () => Promise<boolean>): Promise<string> {
  try {
    return (await reads()) ? 'yes' : 'no: differs'
  } catch (error) {
    const [line = ''] = String(error).split('\n')
    return `no: ${line.slice(0, 80).replaceAll('|', '/')}`
  }
}
