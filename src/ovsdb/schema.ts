import { ProtocolError } from './errors.ts'

export type AtomicType = 'integer' | 'real' | 'boolean' | 'string' | 'uuid'

/** A column's type: RFC 7047, section 3.2, `<type>`. */
export interface ColumnType {
  readonly key: AtomicType
  /** Of a map; undefined in sets. */
  readonly value: AtomicType | undefined
  readonly min: 0 | 1
  readonly max: number
}

/** What the server says its database is made of: of each table the type of each column. */
export interface DatabaseSchema {
  readonly name: string
  readonly version: string
  readonly tables: ReadonlyMap<string, ReadonlyMap<string, ColumnType>>
}

const ATOMIC_TYPES: readonly AtomicType[] = ['integer', 'real', 'boolean', 'string', 'uuid']

/** Reads a `<database-schema>`. What we need not know (enumerations, ranges, indexes) is passed over.
 *  @throws ProtocolError naming the place */
export function parseSchema(json: unknown): DatabaseSchema {
  const { name, version, tables } = record(json, 'The schema')
  const parsed = Object.entries(record(tables, 'The schema’s tables')).map(
    ([table, definition]) => [table, parseColumns(table, definition)] as const,
  )
  return { name: String(name), version: String(version), tables: new Map(parsed) }
}

function parseColumns(table: string, definition: unknown): ReadonlyMap<string, ColumnType> {
  const { columns } = record(definition, `Table ${table} in the schema`)
  const parsed = Object.entries(record(columns, `The columns of ${table} in the schema`)).map(([column, described]) => {
    const place = `Column ${column} of ${table} in the schema`
    return [column, parseType(record(described, place)['type'], place)] as const
  })
  return new Map(parsed)
}

function parseType(json: unknown, place: string): ColumnType {
  if (typeof json === 'string') return { key: atomicType(json, place), value: undefined, min: 1, max: 1 }
  const { key, value, min = 1, max = 1 } = record(json, place)
  const most = max === 'unlimited' ? Number.POSITIVE_INFINITY : max
  if ((min !== 0 && min !== 1) || typeof most !== 'number' || !(most >= 1))
    throw new ProtocolError(`${place} has no range: ${JSON.stringify({ min, max })}`)
  return { key: baseType(key, place), value: value === undefined ? undefined : baseType(value, place), min, max: most }
}

function baseType(json: unknown, place: string): AtomicType {
  return atomicType(typeof json === 'string' ? json : record(json, place)['type'], place)
}

function atomicType(json: unknown, place: string): AtomicType {
  const type = ATOMIC_TYPES.find((known) => known === json)
  if (type === undefined) throw new ProtocolError(`${place} has no known type: ${JSON.stringify(json)}`)
  return type
}

/** @throws ProtocolError when the value is no JSON object */
export function record(json: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new ProtocolError(`${what} is no object`)
  return json as Record<string, unknown>
}
