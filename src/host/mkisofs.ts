import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import type { DriveFile } from '../config-drive/image.ts'
import { attempting, HostError } from './errors.ts'
import { syncFolder } from './image-file.ts'
import { runProgram } from './programs.ts'

/** What a program is to put on an ISO image, and how it is to be called. */
export interface MkisofsOptions {
  readonly label: string
  readonly publisher: string
}

/** The arguments with which Nova calls `mkisofs_cmd` (genisoimage, mkisofs, xorrisofs). */
export function mkisofsArguments(output: string, folder: string, { label, publisher }: MkisofsOptions): string[] {
  const names = ['-ldots', '-allow-lowercase', '-allow-multidot', '-l']
  return ['-o', output, ...names, '-publisher', publisher, '-quiet', '-J', '-r', '-V', label, folder]
}

/**
 * Builds an ISO image with a program of the system instead of our own writer: whole or not at all.
 * @throws HostError when the program is missing or fails
 */
export async function runMkisofs(
  program: string,
  path: string,
  files: readonly DriveFile[],
  options: MkisofsOptions,
): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'firstboot-drive-')) // 0700: it holds passwords
  const fresh = `${path}.${process.pid}.new`
  try {
    const folder = join(work, 'files')
    mkdirSync(folder)
    for (const file of files) putFile(folder, file)
    // The program would make it readable by all.
    closeSync(openSync(fresh, 'wx', 0o600))
    await attempting('building the drive with mkisofs_cmd', () =>
      runProgram(program, mkisofsArguments(fresh, folder, options)),
    )
    syncFile(fresh)
    renameSync(fresh, path)
    syncFolder(dirname(path))
  } finally {
    rmSync(fresh, { force: true })
    rmSync(work, { recursive: true, force: true })
  }
}

function putFile(folder: string, { path, content }: DriveFile): void {
  const place = normalize(join(folder, path))
  if (!place.startsWith(`${folder}/`)) throw new HostError(`${JSON.stringify(path)} is outside of the drive`)
  mkdirSync(dirname(place), { recursive: true })
  writeFileSync(place, content, { flag: 'wx' })
}

function syncFile(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
