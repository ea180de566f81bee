import { existsSync } from 'node:fs'
import { UsageError } from '../../config/read.ts'
import type { StateDirectory } from '../../daemons/state-directory.ts'
import type { RecordSet } from '../../inventory/records/records.ts'
import { readRecords as readFlight } from '../../observe/flight/read.ts'
import { findServer } from '../find-server.ts'
import { readRecords } from '../read-records.ts'

/** Somebody whose requests are recorded. */
export interface Guest {
  readonly id: string
  /** Its id where nobody here knows another. */
  readonly name: string
  /** The inventory's; undefined for an instance that it does not have. */
  readonly records: RecordSet | undefined
}

/**
 * Whom a person means: a server of the inventory, or an instance by its id. An agent in a cloud of Nova's has no inventory, and
 * what it records is all that is known.
 * @throws UsageError
 */
export async function findGuest(
  state: StateDirectory,
  wanted: string | undefined,
  values: { readonly state_dir: string; readonly lab: boolean },
  env: NodeJS.ProcessEnv,
): Promise<Guest> {
  if (wanted === undefined) throw new UsageError('name a server: its name or its id')
  const records = existsSync(state.database) ? await readRecords(values, env) : undefined
  if (records?.server.get(wanted) === undefined && isRecorded(state, wanted))
    return { id: wanted, name: wanted, records: undefined }
  if (records === undefined)
    throw new UsageError(`nothing is recorded of ${wanted}, and no inventory knows its name: give the instance’s id`)
  const { id, name } = findServer(records, wanted)
  return { id, name, records }
}

function isRecorded({ flight }: StateDirectory, instance: string): boolean {
  return readFlight(flight, (record) => record.instance === instance).length > 0
}
