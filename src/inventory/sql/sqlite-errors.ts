import { InventoryConflict, InventoryRejected, InventoryUnavailable } from '../store.ts'

/** Primary result codes of SQLite (https://sqlite.org/rescode.html) that a user can meet, and what to do about each. */
const explanations: Readonly<Record<number, (file: string) => string>> = {
  5: (file) => `${file} is locked by another program; find it with "fuser ${file}" and let it finish`,
  6: (file) => `${file} is locked by another program; find it with "fuser ${file}" and let it finish`,
  8: (file) => `cannot write ${file}: it or its directory is read-only; make both writable for this user`,
  10: (file) => `reading or writing ${file} failed; check the disk it is on (dmesg tells more)`,
  11: (file) => `${file} is damaged; restore it from a backup, or move it away and apply the inventory file again`,
  13: (file) => `cannot write ${file}: the disk is full; free some space on it`,
  14: (file) => `cannot open ${file} or the files SQLite keeps beside it; make its directory writable for this user`,
  26: (file) => `${file} is not an inventory database; name another file, or move this one away`,
}

const fileExplanations: Readonly<Record<string, (file: string) => string>> = {
  ENOENT: (file) => `cannot create ${file}: its directory does not exist; create the directory first`,
  ENOTDIR: (file) => `cannot create ${file}: a part of its path is not a directory`,
  EACCES: (file) => `cannot open ${file}: no permission; make it and its directory writable for this user`,
  EPERM: (file) => `cannot open ${file}: no permission; make it and its directory writable for this user`,
  EROFS: (file) => `cannot write ${file}: the file system is read-only; name a file on a writable one`,
  ENOSPC: (file) => `cannot create ${file}: the disk is full; free some space on it`,
}

const SQLITE_BUSY = 5
const SQLITE_LOCKED = 6
const SQLITE_CONSTRAINT = 19

/** Somebody else holds a lock (SQLITE_BUSY and its extended codes). */
export function isSqliteBusy(error: unknown): boolean {
  const code = primaryCode(error)
  return code === SQLITE_BUSY || code === SQLITE_LOCKED
}

/** What SQLite said, as an error of the store. Errors that are not SQLite's come back as they are. */
export function explainSqliteError(error: unknown, file: string): Error {
  if (error instanceof InventoryConflict || error instanceof InventoryUnavailable) return error
  const code = primaryCode(error)
  if (code === SQLITE_CONSTRAINT) {
    return new InventoryRejected(`the inventory refuses this change: ${messageOf(error)}`, { cause: error })
  }
  const explanation = code === undefined ? undefined : explanations[code]
  if (explanation !== undefined) return new InventoryUnavailable(explanation(file), { cause: error })
  return error instanceof Error ? error : new Error(messageOf(error))
}

/** What the system said when the file was to be created, likewise. */
export function explainFileError(error: unknown, file: string): Error {
  if (error instanceof InventoryUnavailable) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const text = fileExplanations[code]?.(file) ?? `cannot open ${file}: ${messageOf(error)}`
  return new InventoryUnavailable(text, { cause: error })
}

/** The low byte of an extended result code. */
function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
