import { readFileSync } from 'node:fs'
import { UsageError } from '../../config/read.ts'
import { findCloudInitSchema } from '../../host/cloud-init.ts'
import { type CloudConfigRules, cloudInitRules, ownRules } from '../../lint/cloud-config/rules.ts'

export interface LoadedRules {
  readonly rules: CloudConfigRules
  /** The file with cloud-init's schema, or null: checks of ours. */
  readonly schema: string | null
}

/**
 * cloud-init's own schema from the named file, else from an installed cloud-init, else checks of ours.
 * @throws UsageError when the named file cannot be used. An installed one that cannot is passed over: nobody asked for it.
 */
export function loadRules(named: string): LoadedRules {
  const file = named === '' ? findCloudInitSchema() : named
  if (file === undefined) return { rules: ownRules(), schema: null }
  try {
    return { rules: cloudInitRules(JSON.parse(readFileSync(file, 'utf8'))), schema: file }
  } catch (error) {
    if (named === '') return { rules: ownRules(), schema: null }
    throw new UsageError(`--cloud-init-schema ${file}: ${error instanceof Error ? error.message : error}`)
  }
}
