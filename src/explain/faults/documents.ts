import type { Facts } from '../facts.ts'
import { type Fault, knownOf, type Spot } from '../fault.ts'

/** A guest waits as long as its own patience lasts, and each version asks anew. */
const SLOW_TARGET_MILLISECONDS = 1_000

/** What is read when everything on the way works. */
export const documentFaults: readonly Fault[] = [
  {
    id: 'document-broken',
    step: 'documents',
    severity: 'broken',
    symptom: 'one path is 500, the others answer',
    cause: 'a document cannot be drawn from the records',
    recognised: 'drawing it in this process fails as well',
    expected: 'every document can be drawn',
    mend: 'firstboot render SERVER PATH shows the error; correct the record it names',
    judge: ({ documents }) => knownOf(documents)?.broken,
  },
  {
    id: 'user-data-invalid',
    step: 'documents',
    severity: 'broken',
    symptom: 'the guest has its name and keys, and nothing of what it was to do is done',
    cause: 'the user data is not what its first line says, or is no user data at all',
    recognised: 'firstboot lint has an error about it',
    expected: 'the user data can be used by a guest',
    mend: 'firstboot lint SERVER says where; correct it, and boot the guest anew',
    judge: (facts) => lintSpots(facts, 'error', (check) => check !== 'key-pair'),
  },
  {
    id: 'key-pair-missing',
    step: 'documents',
    severity: 'broken',
    symptom: 'nobody can log in',
    cause: 'the key pair of the server is gone, or its text is no public key',
    recognised: 'the server names a key pair, and no usable text of it is there',
    expected: 'the key pair of the server is there',
    mend: 'give the server an existing key pair and apply the file',
    judge: (facts) => [
      ...lintSpots(facts, 'error', (check) => check === 'key-pair'),
      ...(knownOf(facts.documents)?.findings ?? [])
        .filter(({ check }) => check === 'key-pair/gone')
        .map(({ problem, mend }) => ({ observed: problem, mend })),
    ],
  },
  {
    id: 'first-boot-risk',
    step: 'documents',
    severity: 'risk',
    symptom: 'some guests stumble at their first boot',
    cause: 'the records hold something that not every client understands',
    recognised: 'firstboot lint has a warning',
    expected: 'firstboot lint finds nothing',
    mend: 'firstboot lint SERVER says what and where',
    judge: (facts) =>
      (knownOf(facts.documents)?.findings ?? [])
        .filter(({ severity, check }) => severity === 'warning' && check !== 'key-pair/gone')
        .map(({ problem, mend }) => ({ observed: problem, mend })),
  },
  {
    id: 'vendor-data-hanging',
    step: 'vendor-data',
    severity: 'broken',
    symptom: 'vendor_data2.json takes seconds, and the guest boots late',
    cause: 'a target of dynamic vendor data does not answer in time',
    recognised: 'it is asked now, and takes longer than a second',
    expected: 'each target answers within a second',
    mend: 'look after the service behind it, or lower vendordata_dynamic_read_timeout',
    judge: ({ vendorData, slowdown }) =>
      (knownOf(vendorData) ?? [])
        .filter(({ milliseconds }) => milliseconds >= SLOW_TARGET_MILLISECONDS * slowdown)
        .map(
          ({ target, url, milliseconds }) => `${target} (${url}) took ${(milliseconds / 1_000).toFixed(1)} s or more`,
        ),
  },
  {
    id: 'vendor-data-failing',
    step: 'vendor-data',
    severity: 'risk',
    symptom: 'vendor_data2.json has {} in place of what a target was to say',
    cause: 'a target of dynamic vendor data fails',
    recognised: 'it is asked now, and answers with an error or not at all',
    expected: 'each target answers',
    mend: 'firstboot vendor-data SERVER shows the answer; look after the service behind it',
    judge: ({ vendorData, slowdown }) =>
      (knownOf(vendorData) ?? [])
        .filter(({ error, milliseconds }) => error !== null && milliseconds < SLOW_TARGET_MILLISECONDS * slowdown)
        .map(({ target, url, error }) => `${target} (${url}): ${error}`),
  },
  {
    id: 'config-drive-stale',
    step: 'drive',
    severity: 'risk',
    symptom: 'the guest reads from its drive what is no longer true',
    cause: 'records changed after the drive was built',
    recognised: 'the drive says something else than HTTP would',
    expected: 'the config drive says what HTTP says',
    mend: 'stop and start the server, or build the drive anew: firstboot config-drive build SERVER',
    judge: ({ drive }) => {
      const stale = knownOf(drive)?.stale ?? []
      return stale.length === 0 ? undefined : stale.join('; ')
    },
  },
]

function lintSpots({ documents }: Facts, wanted: string, isMeant: (group: string) => boolean): readonly Spot[] {
  return (knownOf(documents)?.findings ?? [])
    .filter(({ severity, check }) => severity === wanted && isMeant(check.slice(0, check.indexOf('/'))))
    .map(({ problem, mend, place: { line } }) => ({
      observed: `${problem}${line === null ? '' : ` (line ${line})`}`,
      mend,
    }))
}
