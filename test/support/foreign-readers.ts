import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DriveFile } from '../../src/config-drive/image.ts'

/** Other people's programs, which say whether an image is one. */

const LOCALE = { ...process.env, LC_ALL: 'C.UTF-8' }

/** @returns standard output and standard error @throws Error when it does not exit with 0 */
export function run(program: string, args: readonly string[], input?: Uint8Array): string {
  const { status, error, stdout, stderr } = spawnSync(program, args, {
    env: LOCALE,
    input,
    maxBuffer: 2 ** 28,
    encoding: 'utf8',
  })
  if (error) throw error
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} exited with ${status}: ${stdout}${stderr}`)
  return stdout + stderr
}

/** Standard output as it is. */
export function bytesOf(program: string, args: readonly string[]): Buffer {
  return execFileSync(program, args, { env: LOCALE, maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'pipe'] })
}

export function writeTree(folder: string, files: readonly DriveFile[]): void {
  mkdirSync(folder, { recursive: true })
  for (const { path, content } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

/** Every file below a folder, and what is in it. */
export function readTree(folder: string): ReadonlyMap<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = entries.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path))]))
}

export interface Unpacker {
  readonly name: string
  /** Takes everything out of an image into a folder that is there and empty. */
  readonly unpack: (image: string, into: string) => void
}

export const ISO_UNPACKERS: readonly Unpacker[] = [
  {
    name: 'xorriso',
    unpack: (image, into) => run('xorriso', ['-osirrox', 'on', '-indev', image, '-extract', '/', into]),
  },
  { name: 'bsdtar', unpack: (image, into) => run('bsdtar', ['-xf', image, '-C', into]) },
  {
    name: 'bsdtar, of Joliet',
    unpack: (image, into) => run('bsdtar', ['-xf', image, '-C', into, '--options', '!rockridge']),
  },
]

export const VFAT_UNPACKERS: readonly Unpacker[] = [
  { name: 'mtools', unpack: (image, into) => run('mcopy', ['-s', '-n', '-i', image, '::/', into]) },
]
