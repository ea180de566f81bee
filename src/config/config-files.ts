import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Entry, parseIni } from './ini.ts'
import { texts } from './option.ts'
import { UsageError } from './usage-error.ts'

/** Taken by every daemon that stands in for one of the field's. */
export const fileOptions = {
  config_file: texts('FILE', [], 'Configuration file of the field (oslo.config’s INI). A later one wins.'),
  config_dir: texts('DIR', [], 'Directory whose *.conf files are read after those, in the order of their names.'),
}

/**
 * Everything the files say, in the order in which the later wins.
 * @throws UsageError for a file that cannot be read or understood
 */
export function readConfigFiles(files: readonly string[], directories: readonly string[]): readonly Entry[] {
  return [...files, ...directories.flatMap(filesOf)].flatMap((file) => parseIni(readText(file), file))
}

function filesOf(directory: string): readonly string[] {
  const names = attempt(directory, () => readdirSync(directory))
  return names
    .filter((name) => name.endsWith('.conf') && !name.startsWith('.'))
    .toSorted()
    .map((name) => join(directory, name))
}

function readText(file: string): string {
  const bytes = attempt(file, () => readFileSync(file))
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UsageError(`${file}: is not UTF-8 text`)
  }
}

/** Why, by error code. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied; run as a user who may read it (in the field: group neutron or nova)',
  EISDIR: 'is a directory; name it with --config-dir',
  ENOTDIR: 'is no directory; name it with --config-file',
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw new UsageError(`${path}: ${REASONS[code] ?? `cannot be read: ${error}`}`)
  }
}
