import type { Log } from '../observe/log.ts'
import type { StateDirectory } from './state-directory.ts'

export interface SecretValues {
  readonly config_file: readonly string[]
  readonly config_dir: readonly string[]
  readonly metadata_proxy_shared_secret: string
}

/** Says at start what will make the other side refuse every guest, or believe anybody. */
export function remarkOnSecret(values: SecretValues, state: StateDirectory, log: Log): void {
  const hasFiles = values.config_file.length + values.config_dir.length > 0
  if (hasFiles && values.metadata_proxy_shared_secret === '')
    log.warn(
      { file: state.sharedSecret },
      'metadata_proxy_shared_secret is not set in the configuration files; the one kept in this file is used, and the other side must be told it',
    )
}
