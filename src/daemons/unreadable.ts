import { errorCode } from '../host/errors.ts'

/** Why a file that an operator names cannot be read, in a sentence that says what to do. */
export function unreadable(path: string, error: unknown): string {
  const why = REASONS[errorCode(error) ?? '']
  return `${path} ${why ?? `cannot be read: ${error instanceof Error ? error.message : error}`}`
}

/** By error code. */
const REASONS: Readonly<Record<string, string>> = {
  EISDIR: 'is a directory; a file is wanted here',
  ENOENT: 'does not exist',
  ENOTDIR: 'cannot be: a part of the path is a file, not a directory',
  EACCES: 'may not be read by this user',
  ELOOP: 'is a symbolic link that leads back to itself',
}
