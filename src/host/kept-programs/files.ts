import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { HostError } from '../errors.ts'
import type { Program } from '../namespace.ts'
import type { ProcessId } from '../process.ts'

/** What of them a program reads with the rights of the user it becomes. */
const MODES = { directory: 0o755, file: 0o644 }

/** Writes what a program reads. @throws HostError naming the directory */
export function writeFiles({ kind, directory, files }: Program): void {
  inDirectory(kind, directory, () => {
    for (const [name, content] of Object.entries(files)) writeAtomically(join(directory, name), content)
  })
}

/** Writes a file beside the one it may replace, for a program to say what it thinks of it. @returns its path */
export function writeDraft({ kind, directory, files }: Program, name: string): string {
  const path = draftOf(join(directory, name))
  const content = (files as Readonly<Record<string, string>>)[name] ?? ''
  inDirectory(kind, directory, () => writeFileSync(path, content, { mode: MODES.file }))
  return path
}

/** @throws HostError saying whose files could not be written, and where */
export function inDirectory(kind: Program['kind'], directory: string, write: () => void): void {
  try {
    mkdirSync(directory, { recursive: true, mode: MODES.directory })
    write()
  } catch (cause) {
    throw new HostError(`writing ${kind}'s files in ${directory}: ${String(cause)}`, { cause })
  }
}

/** A reader sees the old content or the new, never half of one. */
export function writeAtomically(path: string, content: string): void {
  if (existsSync(path) && readFileSync(path, 'utf8') === content) return
  writeFileSync(draftOf(path), content, { mode: MODES.file })
  renameSync(draftOf(path), path)
}

function draftOf(path: string): string {
  return `${path}.new`
}

/** Names the process that has read the files as they lie there. */
const READER = 'read-by'

export function noteReader(directory: string, { pid, startTime }: ProcessId): void {
  writeFileSync(join(directory, READER), `${pid} ${startTime}\n`, { mode: MODES.file })
}

/** To be called before files change. */
export function forgetReader(directory: string): void {
  rmSync(join(directory, READER), { force: true })
}

/** What a process that reads its files only once has read, found again by a later run of ours. */
export function filesReadBy(
  { pid, startTime }: ProcessId,
  directory: string,
  names: readonly string[],
): Readonly<Record<string, string>> | undefined {
  try {
    if (readFileSync(join(directory, READER), 'utf8') !== `${pid} ${startTime}\n`) return undefined
    return Object.fromEntries(names.map((name) => [name, readFileSync(join(directory, name), 'utf8')]))
  } catch {
    return undefined // somebody deleted them: then nobody knows
  }
}

/** Deletes directories of programs that nobody runs any more: each has the file in it. */
export function sweepDirectories(folder: string, file: string, isUsed: (directory: string) => boolean): void {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) {
    const directory = join(folder, name)
    if (!isUsed(directory) && existsSync(join(directory, file))) rmSync(directory, { recursive: true, force: true })
  }
}
