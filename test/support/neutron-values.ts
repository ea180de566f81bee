import { directoryOptions } from '../../src/config/options/port-directory.ts'
import { readOptions } from '../../src/config/read.ts'
import type { DirectoryValues } from '../../src/daemons/port-directory.ts'

/** The options of the agent's port directory, with their defaults where a test does not care. */
export function neutronValues(given: Partial<DirectoryValues>): DirectoryValues {
  return { ...readOptions(directoryOptions, [], {}).values, ...given }
}
