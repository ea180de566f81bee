import type { Check } from '../finding.ts'
import { kindOf } from './kinds.ts'
import { firstLine, type Piece, quoted } from './piece.ts'

const READER = { severity: 'error', breaks: ['cloud-init'] } as const

/** `#include`: an address a line; comments and empty lines do not count, and the first address may share its line. */
export const includeChecks: readonly Check<Piece>[] = [
  {
    ...READER,
    name: 'include/address',
    how: 'cloud-init cannot fetch it and goes on without (newer releases stop)',
    mend: 'write one http://, https:// or file:// address a line',
    look: ({ text = '' }) =>
      text.split(/\r?\n/).flatMap((line, index) => {
        const address = line
          .trim()
          .replace(/^#include(-once)?/i, '')
          .trim()
        const isFine = address === '' || address.startsWith('#') || /^(https?|file|ftp):\/\/\S+$/.test(address)
        return isFine ? [] : { problem: `${quoted(address)} is no address`, line: index + 1 }
      }),
  },
]

/** `## template: jinja`: what comes out is judged by its first line, which is the template's second. */
export const jinjaChecks: readonly Check<Piece>[] = [
  {
    ...READER,
    name: 'jinja/second-line',
    how: 'cloud-init ignores the whole template: it does not know what came out of it',
    mend: 'let the second line say what it is: #cloud-config, or #! and an interpreter',
    look: ({ text = '' }) => {
      const second = text.trimStart().split(/\r?\n/)[1] ?? ''
      const isKnown =
        /^\s*\{[{%#]/.test(second) || ['cloud-config', 'script', 'boothook'].includes(kindOf(second) ?? '')
      return isKnown
        ? undefined
        : { problem: `${quoted(second)} behind the template line is no known first line`, line: 2 }
    },
  },
]

export const upstartChecks: readonly Check<Piece>[] = [
  {
    ...READER,
    severity: 'warning',
    name: 'upstart/obsolete',
    how: 'upstart jobs were removed in 2022; nothing is run',
    mend: 'write a systemd unit with write_files and enable it with runcmd',
    look: () => ({ problem: 'is an upstart job', line: 1 }),
  },
]

/** `#cloud-config-jsonp`: a JSON patch (RFC 6902) of the cloud-config that came before it. */
export const patchChecks: readonly Check<Piece>[] = [
  {
    ...READER,
    name: 'jsonp/patch',
    how: 'cloud-init cannot apply the patch and drops it',
    mend: 'write a JSON list of operations below the first line: [{"op": "add", "path": "/packages/-", "value": "vim"}]',
    look: ({ text = '' }) => {
      const body = text.trimStart().slice(firstLine(text.trimStart()).length)
      try {
        return Array.isArray(JSON.parse(body)) ? undefined : { problem: 'is no list of operations', line: 2 }
      } catch (error) {
        return { problem: `is no JSON: ${error instanceof Error ? error.message : error}`, line: 2 }
      }
    },
  },
]
