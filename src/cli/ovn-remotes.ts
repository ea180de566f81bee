import { flag, UsageError, variable } from '../config/read.ts'
import { parseRemotes } from '../ovsdb/ovsdb.ts'

/** Refuses what cannot be a database's address before anything is started. Empty ones are for the daemon to fill in.
 *  @throws UsageError */
export function checkRemotes(values: Readonly<Record<string, string>>): void {
  for (const [name, remotes] of Object.entries(values)) {
    if (remotes === '') continue
    try {
      parseRemotes(remotes)
    } catch (error) {
      throw new UsageError(`${flag(name)} (${variable(name)}): ${error instanceof Error ? error.message : error}`)
    }
  }
}
