import { suggestion } from '../../text/nearest.ts'
import type { Path, Report } from './problem.ts'

/** What reading a document needs from outside. */
export interface Reading {
  readonly report: Report
  /** The bytes of a file named in the document, relative to it. @throws when it cannot be read or is over `limit` bytes */
  readonly bytesOf: (name: string, limit: number) => Uint8Array
}

/** A kind of value: reads it from a document, or reports why it cannot and gives undefined. */
export interface Kind<T> {
  /** Without it nothing sensible can be said of the item it belongs to, even where it may be left out. */
  readonly isReference?: true
  /** What the reference page calls it: `IP address`. */
  readonly name: string
  /** The kind it is made of: that of a list's entries, for one. */
  readonly of?: Kind<unknown>
  read(value: unknown, path: Path, reading: Reading): T | undefined
}

/** One field of a mapping. The rows of `schema.ts` are these. */
export interface Field<T, Required extends boolean = boolean> {
  readonly kind: Kind<T>
  readonly about: string
  readonly required: Required
}

export type Fields = Readonly<Record<string, Field<unknown>>>

/** A mapping as read: its fields, where it stands, and whether it is broken: a required field or a reference could not
 *  be read. Of a broken one any field may be missing; it keeps its place only so that others may refer to it. */
export type Item<F extends Fields> = {
  readonly [K in keyof F as F[K] extends Field<unknown, true> ? K : never]: F[K] extends Field<infer T> ? T : never
} & {
  readonly [K in keyof F as F[K] extends Field<unknown, true> ? never : K]?: F[K] extends Field<infer T> ? T : never
} & Located

export interface Located {
  readonly at: Path
  readonly broken: boolean
}

export interface Shape<F extends Fields> extends Kind<Item<F>> {
  readonly fields: F
}

export function required<T>(kind: Kind<T>, about: string): Field<T, true> {
  return { kind, about, required: true }
}

export function optional<T>(kind: Kind<T>, about: string): Field<T, false> {
  return { kind, about, required: false }
}

/** A mapping with these fields and no others. */
export function shape<const F extends Fields>(name: string, fields: F): Shape<F> {
  return {
    name,
    fields,
    read(value, path, reading) {
      if (!(value instanceof Map)) {
        const known = listOf(Object.keys(fields))
        reading.report(path, `is ${describe(value)}; ${withArticle(name)} is written as a mapping of ${known}`)
        return undefined
      }
      reportUnknown(value, name, fields, path, reading.report)
      let broken = false
      const read = Object.entries(fields).flatMap(([field, { kind, required: isRequired }]) => {
        const at = [...path, field]
        const isGiven = value.has(field)
        if (!isGiven && isRequired) reading.report(at, `is missing; ${withArticle(name)} needs it (${kind.name})`)
        const found = isGiven ? kind.read(value.get(field), at, reading) : undefined
        if (found === undefined && (isRequired || (isGiven && kind.isReference))) broken = true
        return found === undefined ? [] : [[field, found] as const]
      })
      return { ...Object.fromEntries(read), at: path, broken } as Item<F>
    },
  }
}

function reportUnknown(value: Map<unknown, unknown>, name: string, fields: Fields, path: Path, report: Report): void {
  const known = Object.keys(fields)
  for (const key of value.keys()) {
    if (typeof key === 'string' && known.includes(key)) continue
    report([...path, String(key)], `${withArticle(name)} has no such field${suggestion(String(key), known)}`)
  }
}

/** A list of things of one kind. What cannot be read, or is broken, is left out of it. */
export function list<T>(of: Kind<T>, limits: { readonly max?: number } = {}): Kind<readonly T[]> {
  const all = listAll(of, limits)
  return {
    ...all,
    read: (value, path, reading) => all.read(value, path, reading)?.filter((item) => !isBroken(item)),
  }
}

/** The same with the broken ones: for things that have a name, which others may use. */
export function listAll<T>(of: Kind<T>, limits: { readonly max?: number } = {}): Kind<readonly T[]> {
  const { max = Number.POSITIVE_INFINITY } = limits
  return {
    of,
    name: `list of ${of.name}${max === Number.POSITIVE_INFINITY ? '' : ` (at most ${max})`}`,
    read(value, path, reading) {
      if (!Array.isArray(value)) {
        reading.report(path, `is ${describe(value)}, and should be a list (of ${of.name})`)
        return undefined
      }
      if (value.length > max) reading.report(path, `has ${value.length} entries; at most ${max} are allowed`)
      return value.map((item, i) => of.read(item, [...path, i], reading)).filter((item) => item !== undefined)
    },
  }
}

function isBroken(item: unknown): boolean {
  return typeof item === 'object' && item !== null && 'broken' in item && item.broken === true
}

/** The kind, or an explicit null for "none". */
export function orNull<T>(kind: Kind<T>): Kind<T | null> {
  return {
    ...(kind.isReference && { isReference: true }),
    of: kind,
    name: `${kind.name}, or null`,
    read: (value, path, reading) => (value === null ? null : kind.read(value, path, reading)),
  }
}

/** A value in words, for messages. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'empty'
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Map) return 'a mapping'
  if (value instanceof Uint8Array) return 'binary data'
  if (typeof value === 'string') return `the text ${JSON.stringify(shortened(value))}`
  return `the ${typeof value} ${String(value)}`
}

function withArticle(name: string): string {
  return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}

function listOf(names: readonly string[]): string {
  return names.length > 6 ? `${names.slice(0, 5).join(', ')}, ...` : names.join(', ')
}
