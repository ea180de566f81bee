import { nearest } from '../../text/nearest.ts'
import type { Check, Spot } from '../finding.ts'
import { isGzip } from './gzip.ts'
import { KNOWN_BEGINNINGS, kindOf, withoutLeadingBlanks } from './kinds.ts'
import { firstLine, type Piece, quoted } from './piece.ts'

const IGNORED = {
  severity: 'error',
  breaks: ['cloud-init', 'CirrOS', 'cloudbase-init'],
  how: 'the guest does not know what it is and uses none of it; cloud-init only logs "Unhandled non-multipart userdata"',
} as const

/** User data that no client knows, and what was most likely meant: the first that fits is told, and the last fits all. */
export const strangerChecks: readonly Check<Piece>[] = [
  {
    ...IGNORED,
    name: 'user-data/byte-order-mark',
    mend: 'save it as UTF-8 without byte order mark',
    look: ({ text, bytes }) => {
      const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
      if (isUtf16) return { problem: 'is UTF-16', line: 1 }
      const hides = text?.startsWith('\ufeff') && kindOf(text.slice(1)) !== undefined
      return hides ? { problem: 'begins with a byte order mark, which hides the first line', line: 1 } : undefined
    },
  },
  {
    ...IGNORED,
    name: 'user-data/base64-twice',
    mend: 'give the decoded bytes: the encoding for the wire is made by who sends it',
    look: ({ text }) => encodedKind(text),
  },
  {
    ...IGNORED,
    name: 'user-data/mime-version',
    breaks: ['cloud-init'],
    mend: 'add "MIME-Version: 1.0" above the first empty line',
    look: ({ text = '' }) =>
      /^\s*content-type:\s*\S+\/\S+/i.test(text)
        ? { problem: 'has a Content-Type but no "MIME-Version:" in its first 4096 bytes', line: 1 }
        : undefined,
  },
  {
    ...IGNORED,
    name: 'user-data/butane',
    severity: 'warning',
    breaks: ['Ignition'],
    how: 'Ignition reads JSON; only its newest releases also take Butane, and older ones stop the boot',
    mend: 'translate it first: butane --strict config.bu',
    look: ({ text = '' }) =>
      /^variant:\s*\w+/m.test(text) && /^version:\s*\S+/m.test(text)
        ? { problem: 'is a Butane config, not yet translated' }
        : undefined,
  },
  {
    ...IGNORED,
    name: 'user-data/first-line',
    mend: 'let the first line be #cloud-config',
    look: ({ text = '' }) =>
      /^(runcmd|bootcmd|packages|users|write_files|ssh_authorized_keys|package_update|hostname|chpasswd):/m.test(
        text,
      ) && meant(text) === undefined
        ? { problem: 'looks like cloud-config, but its first line does not say so', line: 1 }
        : undefined,
  },
  {
    ...IGNORED,
    name: 'user-data/first-line',
    mend: 'correct the first line: every character of it counts',
    look: ({ text = '' }) => {
      const beginning = meant(text)
      return beginning === undefined
        ? undefined
        : { problem: `${quoted(firstLine(withoutLeadingBlanks(text)))} is not ${quoted(beginning)}`, line: 1 }
    },
  },
  {
    ...IGNORED,
    name: 'user-data/binary',
    mend: 'send text, gzip, or a MIME message that holds the bytes as a part',
    look: ({ text, bytes }) =>
      text === undefined
        ? { problem: `is ${bytes.length} bytes of something that is neither text nor gzip` }
        : undefined,
  },
  {
    ...IGNORED,
    name: 'user-data/first-line',
    mend: `begin with what it is: ${KNOWN_BEGINNINGS.slice(0, 2).join(', ')}, a MIME message, an Ignition config, ...`,
    look: ({ text = '' }) => ({ problem: `${quoted(firstLine(text))} is no first line that a guest knows`, line: 1 }),
  },
]

/** Blanks and the choice of dash are what people get wrong. */
function meant(text: string): string | undefined {
  const written = firstLine(withoutLeadingBlanks(text)).trim().toLowerCase()
  if (written === '' || written.length > LONGEST_MISSPELT) return undefined
  const candidates = KNOWN_BEGINNINGS.filter((beginning) => beginning.length > 4)
  const squeezed = written.replaceAll(/[\s_]+/g, (blank) => (blank === '_' ? '-' : ''))
  return candidates.find((each) => each === squeezed || each === `#${squeezed}`) ?? nearest(written, candidates)
}

const LONGEST_MISSPELT = 30

function encodedKind(text: string | undefined): Spot | undefined {
  const compact = text?.replaceAll(/\s/g, '') ?? ''
  if (compact.length < 8 || compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(compact)) return undefined
  const bytes = Buffer.from(compact, 'base64')
  const kind = isGzip(bytes) ? 'gzip' : kindOf(bytes.toString('utf8'))
  return kind && { problem: `is base64 text that decodes to ${kind}: it was encoded twice` }
}
