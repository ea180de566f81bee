import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { explainSqliteError, isSqliteBusy } from './sqlite-errors.ts'

const PAUSE_MILLISECONDS = 25

/** Whether a transaction could be begun now; nothing is written.
 *  @returns why not, after so many milliseconds of trying; undefined when it could */
export async function whyNotWritable(file: string, milliseconds: number): Promise<string | undefined> {
  for (const deadline = performance.now() + milliseconds; ; ) {
    try {
      beginAndForget(file)
      return undefined
    } catch (error) {
      if (!isSqliteBusy(error)) return explainSqliteError(error, file).message
      if (performance.now() > deadline) return 'somebody keeps it locked'
      await pause(PAUSE_MILLISECONDS)
    }
  }
}

function beginAndForget(file: string): void {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec('begin immediate; rollback')
  } finally {
    database.close()
  }
}
