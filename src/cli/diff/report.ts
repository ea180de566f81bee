import type { Difference } from './compare.ts'

/** One line a value: `+` only in the second, `-` only in the first, `~` in both but not the same. */
export function differenceLines(differences: readonly Difference[]): readonly string[] {
  return differences.map(({ path, member, before, after }) => {
    const place = member === null ? path : `${path} ${member}`
    if (before === null) return `+ ${place}: ${shown(path, after)}`
    if (after === null) return `- ${place}: ${shown(path, before)}`
    return `~ ${place}: ${changed(path, before, after)}`
  })
}

/** Characters of a value; longer ones are told by their length. */
const SHOWN = 100

/** Of two texts with several lines, the first line that differs. */
function changed(path: string, before: string, after: string): string {
  const [a, b] = [lines(before), lines(after)]
  if (a === undefined || b === undefined || Math.max(a.length, b.length) < 2 || isSecret(path))
    return `${shown(path, before)} -> ${shown(path, after)}`
  const at = a.findIndex((line, i) => line !== b[i])
  const line = at < 0 ? a.length : at
  const of = (each: readonly string[]) => shown(path, each[line] === undefined ? 'nothing' : JSON.stringify(each[line]))
  return `from line ${line + 1}: ${of(a)} -> ${of(b)}`
}

function lines(text: string): readonly string[] | undefined {
  const value: unknown = JSON.parse(text)
  return typeof value === 'string' ? value.split('\n') : undefined
}

/** What the guest posted to its password resource is covered on a terminal. */
function isSecret(path: string): boolean {
  return path.split('/').at(-1) === 'password'
}

function shown(path: string, text: string | null): string {
  if (isSecret(path) && text !== '""') return '***'
  return text === null ? 'nothing' : text.length > SHOWN ? `(${text.length} characters)` : text
}

/** For programs: the values as JSON, not as text. */
export function differencesJson(differences: readonly Difference[]): readonly object[] {
  const value = (text: string | null): unknown => (text === null ? undefined : JSON.parse(text))
  return differences.map(({ path, member, before, after }) => ({
    path,
    member,
    before: value(before),
    after: value(after),
  }))
}
