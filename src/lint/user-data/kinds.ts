/** What user data can be, told by how it begins. */
export type KindName =
  | 'script'
  | 'cloud-config'
  | 'cloud-config-archive'
  | 'cloud-config-jsonp'
  | 'include'
  | 'boothook'
  | 'part-handler'
  | 'jinja'
  | 'upstart-job'
  | 'windows-script'
  | 'ignition'
  | 'talos'
  | 'nixos'

/** First lines by their beginnings, as cloud-init, CirrOS and cloudbase-init know them. */
const BEGINNINGS: readonly (readonly [beginning: string, kind: KindName])[] = [
  ['#!', 'script'],
  ['#cloud-config', 'cloud-config'],
  ['#cloud-config-archive', 'cloud-config-archive'],
  ['#cloud-config-jsonp', 'cloud-config-jsonp'],
  ['#include', 'include'],
  ['#include-once', 'include'],
  ['#cloud-boothook', 'boothook'],
  ['#part-handler', 'part-handler'],
  ['## template: jinja', 'jinja'],
  ['#upstart-job', 'upstart-job'],
  ['#ps1_sysnative', 'windows-script'],
  ['#ps1_x86', 'windows-script'],
  ['#ps1', 'windows-script'],
  ['rem cmd', 'windows-script'],
  ['<powershell>', 'windows-script'],
  ['<script>', 'windows-script'],
]

export const KNOWN_BEGINNINGS: readonly string[] = BEGINNINGS.map(([beginning]) => beginning)

const LONGEST_FIRST = BEGINNINGS.toSorted(([a], [b]) => b.length - a.length)

/** Where cloud-init looks for a message, in bytes from the start, whatever the first line is. */
const MESSAGE_SIGN_WITHIN = 4096

/** Where a MIME message shows that it is one, or undefined. Looked for in the whole of the user data, never in parts. */
export function messageSign(text: string): number | undefined {
  const at = text.slice(0, MESSAGE_SIGN_WITHIN).search(/mime-version:/i)
  return at < 0 ? undefined : at
}

/** Like cloud-init: without regard to case, and past leading blanks. @returns undefined when no client knows it */
export function kindOf(text: string): KindName | undefined {
  const begin = withoutLeadingBlanks(text).slice(0, 40).toLowerCase()
  const known = LONGEST_FIRST.find(([beginning]) => begin.startsWith(beginning))
  if (known !== undefined) return known[1]
  return FORMS.find(({ has }) => has(text))?.kind
}

/** A byte order mark is no blank, though JavaScript's trimStart takes it for one. */
export function withoutLeadingBlanks(text: string): string {
  return text.replace(/^[ \t\r\n\f\v]+/, '')
}

/** Formats that have no first line of their own. */
const FORMS: readonly { readonly kind: KindName; readonly has: (text: string) => boolean }[] = [
  { kind: 'ignition', has: (text) => /^[ \t\r\n]*\{/.test(text) && /"(ignition|ignitionVersion)"\s*:/.test(text) },
  { kind: 'talos', has: (text) => /^version:\s*v1\w*\s*$/m.test(text) && /^(machine|cluster):/m.test(text) },
  { kind: 'talos', has: (text) => /^apiVersion:\s*v1\w*\s*$/m.test(text) && /^kind:\s*\w+Config\s*$/m.test(text) },
  { kind: 'nixos', has: (text) => /^###\s/.test(text) || /^\s*\{[^"{}]*\.\.\.\s*\}\s*:/.test(text) },
]
