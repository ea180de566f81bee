import type { Check } from '../finding.ts'
import { isMapping, type Mapping } from './values.ts'
import type { Path } from './yaml.ts'

export interface CloudConfig {
  readonly value: Mapping
  readonly hasKeyPair: boolean
  readonly lineOf: (path: Path) => number | undefined
}

/** What fits every schema and still does not do what it seems to. */
export const habitChecks: readonly Check<CloudConfig>[] = [
  {
    name: 'cloud-config/no-default-user',
    severity: 'warning',
    breaks: ['cloud-init'],
    how: "the image's own user is not made, and the server's key pair is installed for nobody who may log in",
    mend: 'put "- default" first in users, or give a user ssh_authorized_keys',
    look: ({ value: { users }, hasKeyPair, lineOf }) => {
      if (!hasKeyPair || !Array.isArray(users)) return undefined
      const hasWay = users.some(
        (user: unknown) => user === 'default' || (isMapping(user) && WAYS_IN.some((way) => way in user)),
      )
      return hasWay
        ? undefined
        : {
            problem: 'names users, but neither "default" nor anybody\'s keys',
            member: 'users',
            ...at(lineOf, ['users']),
          }
    },
  },
  {
    name: 'cloud-config/network',
    severity: 'warning',
    breaks: ['cloud-init'],
    how: 'cloud-init takes the network from network_data.json and pays no attention to it in user data',
    mend: 'describe ports and subnets in the inventory instead',
    look: ({ value, lineOf }) =>
      'network' in value
        ? { problem: 'user data cannot configure the network', member: 'network', ...at(lineOf, ['network']) }
        : undefined,
  },
  {
    name: 'cloud-config/file-base64',
    severity: 'error',
    breaks: ['cloud-init'],
    how: 'the content does not decode, and cloud-init stops writing files there',
    mend: 'encode the content, or remove encoding',
    look: ({ value: { write_files: files }, lineOf }) =>
      (Array.isArray(files) ? files : []).flatMap((file: unknown, i) => {
        if (!isMapping(file) || !/b64|base64/i.test(String(file['encoding'] ?? ''))) return []
        const content = String(file['content'] ?? '').replaceAll(/\s/g, '')
        const isRight = content.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(content)
        const path = ['write_files', i, 'content']
        return isRight
          ? []
          : {
              problem: 'is no base64, though encoding says so',
              member: `write_files[${i}].content`,
              ...at(lineOf, path),
            }
      }),
  },
]

const WAYS_IN = ['ssh_authorized_keys', 'ssh-authorized-keys', 'ssh_import_id', 'snapuser'] as const

function at(lineOf: CloudConfig['lineOf'], path: Path): { readonly line?: number } {
  const line = lineOf(path)
  return line === undefined ? {} : { line }
}
