import { UsageError } from './usage-error.ts'

/** One `name = value` of a configuration file, as written: not interpolated, quotes taken off. */
export interface Entry {
  /** `DEFAULT` as it stands, others in lower case: oslo.config does not tell `[AGENT]` from `[agent]`. */
  readonly group: string
  readonly name: string
  readonly value: string
  readonly file: string
  /** Where it begins, counted from 1. */
  readonly line: number
}

/** `DEFAULT` is the only group whose case counts (`[default]` is another one, as in oslo.config). */
export function groupName(written: string): string {
  return written === 'DEFAULT' ? written : written.toLowerCase()
}

/**
 * Reads a file in oslo.config's dialect: `[group]`, `name = value` or `name: value`, whole lines of comment behind `#` or
 * `;`. An indented line continues the value above it, with a line break between; a blank line or a comment ends the
 * value. One pair of quotes around the first line of a value is taken off. What follows a value belongs to it, `# ...`
 * too. Pure.
 *
 * @throws UsageError with file and line
 * @see test/golden/oslo-config, what the library itself made of such files
 */
export function parseIni(text: string, file: string): readonly Entry[] {
  const entries: Entry[] = []
  let group: string | undefined
  let open: Entry | undefined
  const close = () => {
    if (open !== undefined) entries.push(open)
    open = undefined
  }

  for (const [index, written] of text.split('\n').entries()) {
    const line = index + 1
    const content = written.trimEnd()
    const refuse = (problem: string): never => {
      throw new UsageError(`${file}:${line}: ${problem}`)
    }
    if (/^[ \t]/.test(content)) {
      if (open === undefined) refuse('is indented, but there is no value above it to continue')
      else open = { ...open, value: `${open.value}\n${content.trimStart()}` }
      continue
    }
    close()
    if (content === '' || /^[#;]/.test(content)) continue
    if (content.startsWith('[')) {
      if (!content.endsWith(']')) refuse('a group ends with ], and nothing may follow it')
      if (content === '[]') refuse('the group has no name')
      group = groupName(content.slice(1, -1))
      continue
    }
    const [name, value] = assignment(content) ?? refuse('is neither [group] nor name = value')
    if (name === '') refuse('there is no name before the =')
    open = { group: group ?? refuse('stands before any group; should [DEFAULT] be above it?'), name, value, file, line }
  }
  close()
  return entries
}

function assignment(content: string): readonly [name: string, value: string] | undefined {
  const at = content.search(/[:=]/)
  return at < 0 ? undefined : [content.slice(0, at).trim(), unquoted(content.slice(at + 1).trim())]
}

/** A lone quote is both ends of nothing: oslo.config reads it as the empty text. */
function unquoted(value: string): string {
  return /^["']/.test(value) && value.endsWith(value.charAt(0)) ? value.slice(1, -1) : value
}
