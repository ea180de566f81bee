import { pair } from './exposition.ts'

/** What one process of the host says of itself, in Prometheus' text format. */
export interface Page {
  readonly daemon: string
  readonly text: string
}

interface Family {
  readonly comments: Map<string, string>
  readonly samples: string[]
}

/**
 * The pages of several processes as one: each sample gets the label `daemon`, and samples of one metric stand together under one
 * heading, as the format demands. Lines that are no sample are left out, so that one process cannot spoil the page of all.
 * Pure.
 */
export function mergedPages(pages: readonly Page[]): string {
  const families = new Map<string, Family>()
  for (const { daemon, text } of pages) {
    let current: { readonly name: string; readonly family: Family } | undefined
    for (const line of text.split('\n')) {
      const comment = COMMENT.exec(line)
      if (comment !== null) {
        const [, kind = '', name = ''] = comment
        current = { name, family: familyOf(families, name) }
        if (!current.family.comments.has(kind)) current.family.comments.set(kind, line)
      } else {
        const found = SAMPLE.exec(line)
        if (found === null) continue
        const [, name = '', labels, value = ''] = found
        const family = current !== undefined && belongs(name, current.name) ? current.family : familyOf(families, name)
        const pairs = [pair('daemon', daemon), ...(labels ? [labels] : [])].join(',')
        family.samples.push(`${name}{${pairs}} ${value}`)
      }
    }
  }
  return [...families.values()]
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ comments, samples }) => [...comments.values(), ...samples, ''])
    .join('\n')
}

const COMMENT = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) /
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*)\})? (\S+(?: -?\d+)?)$/

function belongs(sample: string, family: string): boolean {
  return (
    sample === family || (sample.startsWith(family) && /^_(bucket|sum|count|total)$/.test(sample.slice(family.length)))
  )
}

function familyOf(families: Map<string, Family>, name: string): Family {
  const known = families.get(name)
  if (known !== undefined) return known
  const fresh = { comments: new Map<string, string>(), samples: [] }
  families.set(name, fresh)
  return fresh
}
