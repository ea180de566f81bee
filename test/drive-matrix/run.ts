import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type DriveGuest, driveGuestsProblem, startDriveGuests } from '../support/drive-guests.ts'
import { eventually } from '../support/eventually.ts'
import { page } from './page.ts'
import { READERS, type Sample } from './readers.ts'

// Who reads which drive: every writer's image given to every reader, as docs/config-drive-matrix.md shows it. To be run in
// a sandbox, as root; takes about two minutes.

const PAGE = fileURLToPath(new URL('../../docs/config-drive-matrix.md', import.meta.url))
const BOOT_MILLISECONDS = 600_000

interface Writer extends DriveGuest {
  readonly title: string
  readonly format: Sample['format']
  readonly build: readonly string[]
}

const id = (number: number) => `0d4f0a6e-1c1b-4b52-9c53-1b7f6f3f1c0${number}`
const WRITERS: readonly Writer[] = [
  { title: 'firstboot, ISO 9660', name: 'iso-1', id: id(1), format: 'iso9660', build: [] },
  { title: 'firstboot, VFAT', name: 'vfat-1', id: id(2), format: 'vfat', build: ['--format', 'vfat'] },
  {
    title: 'genisoimage, as Nova calls it',
    name: 'geniso-1',
    id: id(3),
    format: 'iso9660',
    build: ['--mkisofs-cmd', 'genisoimage'],
  },
  {
    title: 'xorrisofs, in its place',
    name: 'xorriso-1',
    id: id(4),
    format: 'iso9660',
    build: ['--mkisofs-cmd', 'xorrisofs'],
  },
]

const problem = driveGuestsProblem()
if (problem !== undefined) throw new Error(problem)
const guests = await startDriveGuests(WRITERS)
try {
  for (const writer of WRITERS)
    await eventually(`${writer.name} has booted`, () => guests.isDone(writer), BOOT_MILLISECONDS)
  const rows: (readonly string[])[] = []
  for (const writer of WRITERS) {
    const sample: Sample = { guest: writer, format: writer.format, image: guests.drive(writer), guests }
    const cells: string[] = []
    for (const reader of READERS) cells.push(await reader.reads(sample))
    rows.push([writer.title, ...cells])
  }
  writeFileSync(PAGE, page(rows))
  process.stdout.write(page(rows))
} finally {
  await guests.stop()
}
