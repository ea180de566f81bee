import type { Check } from '../finding.ts'
import type { Subject } from './subject.ts'

export const configDriveChecks: readonly Check<Subject>[] = [
  {
    name: 'config-drive/files',
    severity: 'error',
    breaks: ['every guest'],
    how: 'injected files travel on a config drive only, and this server has none: they never arrive',
    mend: 'set config_drive: true, or send them as write_files in user data',
    look: ({ server: { files, configDrive } }) =>
      files.length > 0 && !configDrive
        ? {
            problem: `${files.length} injected ${files.length === 1 ? 'file' : 'files'} (personality) without config drive`,
          }
        : undefined,
  },
  {
    name: 'config-drive/admin-pass',
    severity: 'warning',
    breaks: ['cloudbase-init', 'cloud-init'],
    how: 'admin_pass is shown on a config drive only; cloudbase-init makes a password of its own instead',
    mend: 'set config_drive: true, or leave admin_pass out',
    look: ({ server: { adminPassword, configDrive } }) =>
      adminPassword !== null && adminPassword !== '' && !configDrive
        ? { problem: 'has an admin_pass, but no config drive' }
        : undefined,
  },
]
