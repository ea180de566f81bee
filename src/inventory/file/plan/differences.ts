import { isDeepStrictEqual } from 'node:util'
import { type Change, NOUNS, type Noun, type RecordSet, type Records } from '../../records/records.ts'
import { toWire, type Wire } from '../wire.ts'
import { nameOf, words } from './directory.ts'
import type { Planning } from './planning.ts'

/** How one record differs from what it was. */
export interface Difference {
  readonly kind: 'added' | 'changed' | 'removed'
  readonly noun: Noun
  readonly id: string
  /** What the record is called, the new name if it changes; empty when it has none. */
  readonly name: string
  /** The fields that changed, as on the wire; none for a record that is added or removed. */
  readonly fields: readonly { readonly field: string; readonly before: unknown; readonly after: unknown }[]
}

export interface Differences {
  /** Puts in order of the nouns, then deletes the other way round. */
  readonly changes: readonly Change[]
  readonly differences: readonly Difference[]
  /** How many records that the file names are as it says already. */
  readonly unchanged: ReadonlyMap<Noun, number>
}

/** What turns the existing records into the planned ones. */
export function differences(existing: RecordSet, planning: Planning): Differences {
  const puts: Change[] = []
  const deletes: Change[] = []
  const found: Difference[] = []
  const unchanged = new Map<Noun, number>()
  for (const noun of NOUNS) {
    for (const [id, record] of planning.draft[noun] as ReadonlyMap<string, Records[Noun]>) {
      const former = existing[noun].get(id)
      if (former === record || (former !== undefined && isDeepStrictEqual(former, record))) {
        if (planning.isInFile(id)) unchanged.set(noun, (unchanged.get(noun) ?? 0) + 1)
        continue
      }
      puts.push({ op: 'put', noun, record } as Change)
      const fields = former === undefined ? [] : changedFields(toWire(noun, former), toWire(noun, record))
      const kind = former === undefined ? 'added' : 'changed'
      found.push({ kind, noun, id, name: nameOf(noun, record), fields })
    }
    for (const [id, record] of existing[noun] as ReadonlyMap<string, Records[Noun]>) {
      if (planning.draft[noun].has(id)) continue
      deletes.unshift({ op: 'delete', noun, id })
      found.push({ kind: 'removed', noun, id, name: nameOf(noun, record), fields: [] })
    }
  }
  return { changes: [...puts, ...deletes], differences: found, unchanged }
}

function changedFields(before: Wire, after: Wire): Difference['fields'] {
  return Object.keys({ ...before, ...after })
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => ({ field, before: before[field], after: after[field] }))
}

const marks = { added: '+', changed: '~', removed: '-' } as const
const secret = new Set(['admin_pass', 'password'])
/** Characters of a value in a summary; longer ones are told by their length. */
const SHOWN = 100

/** The differences as lines for a terminal: each record and each changed field, then the numbers for each noun. */
export function formatDifferences({ differences, unchanged }: Omit<Differences, 'changes'>): readonly string[] {
  const lines = differences.flatMap(({ kind, noun, id, name, fields }) => [
    `${marks[kind]} ${words(noun)} ${name === '' ? id : `${JSON.stringify(name).slice(1, -1)} (${id})`}`,
    ...fields.map(({ field, before, after }) => `    ${field}: ${shown(field, before)} -> ${shown(field, after)}`),
  ])
  const numbers = NOUNS.flatMap((noun) => {
    const of = differences.filter((difference) => difference.noun === noun)
    const counts = [
      ...(['added', 'changed', 'removed'] as const).map(
        (kind) => [of.filter((difference) => difference.kind === kind).length, kind] as const,
      ),
      [unchanged.get(noun) ?? 0, 'unchanged'] as const,
    ].filter(([count]) => count > 0)
    return counts.length === 0 ? [] : `${words(noun)}s: ${counts.map((count) => count.join(' ')).join(', ')}`
  })
  return [...lines, ...numbers]
}

function shown(field: string, value: unknown): string {
  if (secret.has(field) && value !== null && value !== '') return '***'
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > SHOWN ? `(${text.length} characters)` : text
}
