import type { Column, Uuid } from './column.ts'
import { type Datum, datumOf, fits, isSameDatum } from './datum.ts'
import { SchemaMismatch } from './errors.ts'
import type { ColumnType, DatabaseSchema } from './schema.ts'
import type { AnyTable } from './table.ts'

/** A row whose table is not known here. */
export type AnyRow = { readonly _uuid: Uuid } & Readonly<Record<string, unknown>>

/** A declared table met with what the server has. */
export interface BoundTable {
  readonly table: AnyTable
  /** Every declared column; without datum where the server lacks it. */
  readonly columns: readonly { readonly name: string; readonly datum: Datum | undefined }[]
}

/** Which of the declared tables and columns a server has. */
export type Binding = ReadonlyMap<string, BoundTable>

/** @throws SchemaMismatch naming everything that does not fit */
export function bindTables(tables: readonly AnyTable[], schema: DatabaseSchema): Binding {
  const problems: string[] = []
  const binding = new Map<string, BoundTable>()
  for (const table of tables) {
    const types = schema.tables.get(table.name)
    if (types !== undefined) binding.set(table.name, { table, columns: bindColumns(table, types, problems) })
    else if (!table.mayBeAbsent) problems.push(`no table ${table.name}`)
  }
  if (problems.length === 0) return binding
  throw new SchemaMismatch(`Schema ${schema.name} ${schema.version} of the server does not fit: ${problems.join('; ')}`)
}

function bindColumns(
  table: AnyTable,
  types: ReadonlyMap<string, ColumnType>,
  problems: string[],
): BoundTable['columns'] {
  return Object.entries(table.columns).map(([name, column]) => {
    const type = types.get(name)
    if (type === undefined) {
      if (!column.mayBeAbsent) problems.push(`no column ${table.name}.${name}`)
      return { name, datum: undefined }
    }
    if (fits(column, type)) return { name, datum: datumOf(column, type) }
    problems.push(`${table.name}.${name} is ${describeType(type)}, wanted as ${describeColumn(column)}`)
    return { name, datum: undefined }
  })
}

/** The columns to ask the server for. */
export function presentColumns(bound: BoundTable): readonly string[] {
  return bound.columns.filter(({ datum }) => datum !== undefined).map(({ name }) => name)
}

/** What the rows in memory depend on besides the server's data: rows read under another one are to be read anew. */
export function describeBinding(binding: Binding): string {
  return JSON.stringify([...binding].map(([name, bound]) => [name, presentColumns(bound)]))
}

type WireRow = Readonly<Record<string, unknown>>

/** A whole row. @throws ProtocolError */
export function readRow(bound: BoundTable, uuid: Uuid, wire: WireRow): AnyRow {
  return makeRow(bound, uuid, (name, datum) => (Object.hasOwn(wire, name) ? datum.decode(wire[name]) : datum.initial))
}

/** The row after a difference. @throws ProtocolError */
export function changeRow(bound: BoundTable, old: AnyRow, difference: WireRow): AnyRow {
  return makeRow(bound, old._uuid, (name, datum) =>
    Object.hasOwn(difference, name) ? datum.applyDifference(old[name], difference[name]) : old[name],
  )
}

/** The row itself when nothing differs from what is known of it; else with the known values where they are equal. */
export function withKnownValues(bound: BoundTable, known: AnyRow, row: AnyRow): AnyRow {
  let isSame = true
  const merged = makeRow(bound, row._uuid, (name) => {
    if (isSameDatum(known[name], row[name])) return known[name]
    isSame = false
    return row[name]
  })
  const lost = bound.columns.some(({ name, datum }) => datum === undefined && known[name] !== undefined)
  return isSame && !lost ? known : merged
}

/** Columns in the order of the declaration, so that all rows of a table have one hidden class. */
function makeRow(bound: BoundTable, uuid: Uuid, value: (name: string, datum: Datum) => unknown): AnyRow {
  const row: Record<string, unknown> & { _uuid: Uuid } = { _uuid: uuid }
  for (const { name, datum } of bound.columns) row[name] = datum === undefined ? undefined : value(name, datum)
  return row
}

function describeType({ key, value, min, max }: ColumnType): string {
  const of = value === undefined ? key : `${key} to ${value}`
  return min === 1 && max === 1 ? of : `${of} (${min} to ${max === Number.POSITIVE_INFINITY ? 'any' : max})`
}

function describeColumn({ shape, key, value }: Column<unknown>): string {
  return shape === 'scalar' ? key : `${shape} of ${value === undefined ? key : `${key} to ${value}`}`
}
