import type { Check } from '../finding.ts'
import type { Subject } from './subject.ts'

/** Characters of base64 that Nova takes: 49149 bytes before. */
const USER_DATA_MAX = 65_535

export const userDataRecordChecks: readonly Check<Subject>[] = [
  {
    name: 'user-data/too-long',
    severity: 'error',
    breaks: ['every guest'],
    how: 'Nova refuses to create such a server (400)',
    mend: 'compress it with gzip, or fetch what is long from the guest',
    look: ({ instance: { userData } }) =>
      (userData?.length ?? 0) > USER_DATA_MAX
        ? { problem: `is ${userData?.length} characters in base64; at most ${USER_DATA_MAX} are allowed` }
        : undefined,
  },
  {
    name: 'user-data/base64',
    severity: 'error',
    breaks: ['every guest'],
    how: 'it is kept as base64, and what is none of it is lost',
    mend: 'apply the inventory file again',
    look: ({ instance: { userData } }) =>
      userData !== null && !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(userData)
        ? { problem: 'is not stored as base64' }
        : undefined,
  },
]
