import { readRow } from './bound-table.ts'
import type { Columns, Row, Uuid } from './column.ts'
import { type Clause, encodeClauses } from './condition.ts'
import { datumOf } from './datum.ts'
import { ProtocolError } from './errors.ts'
import { record } from './schema.ts'
import type { AnyTable, RowOf } from './table.ts'
import { encodeDatum, type Written } from './wire.ts'

/** One step of a transaction: RFC 7047, section 5.2. `R` is what the server tells of it. */
export interface Operation<R> {
  readonly wire: Readonly<Record<string, unknown>>
  /** @throws ProtocolError */
  readonly read: (result: Readonly<Record<string, unknown>>) => R
}

/** Columns to write, in terms of what is read from them. */
export type WrittenRow<C extends Columns> = {
  readonly [Name in keyof C]?: Written<Exclude<Row<C>[Name], undefined>> | undefined
}

/** Whoever knows which columns the server at hand has. */
interface KnowsColumns {
  hasColumn(table: AnyTable, column: string): boolean
}

/** `insert` and `delete` are for sets and maps; of a map, `delete` also takes keys alone. The others are arithmetic. */
export type Mutator = '+=' | '-=' | '*=' | '/=' | '%=' | 'insert' | 'delete'
export type Mutation<C extends Columns> = { [Name in keyof C & string]: readonly [Name, Mutator, unknown] }[keyof C &
  string]

/** @param options.name  what `named(…)` in the same transaction refers to it by
 *  @returns the new row's uuid */
export function insert<T extends AnyTable>(
  table: T,
  row: WrittenRow<T['columns']>,
  options: { readonly name?: string } = {},
): Operation<Uuid> {
  const name = options.name === undefined ? {} : { 'uuid-name': options.name }
  return {
    wire: { op: 'insert', table: table.name, row: encodeRow(table, row), ...name },
    read: ({ uuid }) => {
      if (!Array.isArray(uuid) || typeof uuid[1] !== 'string') throw new ProtocolError('An insert has no uuid')
      return uuid[1] as Uuid
    },
  }
}

/** Sets columns. A map is replaced as a whole: where others write the same map, `mutate` it.
 *  @param where  every clause must hold @returns how many rows matched */
export function update<T extends AnyTable>(
  table: T,
  where: readonly Clause<T['columns']>[],
  row: WrittenRow<T['columns']>,
): Operation<number> {
  return counted({ op: 'update', table: table.name, where: encodeClauses(table, where), row: encodeRow(table, row) })
}

/** Changes columns by what they are on the server. @returns how many rows matched */
export function mutate<T extends AnyTable>(
  table: T,
  where: readonly Clause<T['columns']>[],
  mutations: readonly Mutation<T['columns']>[],
): Operation<number> {
  const encoded = mutations.map(([name, mutator, value]) => [name, mutator, encodeDatum(columnOf(table, name), value)])
  return counted({ op: 'mutate', table: table.name, where: encodeClauses(table, where), mutations: encoded })
}

/** Deletes rows. @returns how many matched */
export function remove<T extends AnyTable>(table: T, where: readonly Clause<T['columns']>[]): Operation<number> {
  return counted({ op: 'delete', table: table.name, where: encodeClauses(table, where) })
}

/** Reads rows as they are within the transaction, whatever is monitored.
 *  @param where  every clause must hold
 *  @param server  the client that will carry it out: columns that its server lacks and may lack are not asked for. Without
 *  it, such a server fails the transaction */
export function select<T extends AnyTable>(
  table: T,
  where: readonly Clause<T['columns']>[],
  server?: KnowsColumns,
): Operation<readonly RowOf<T>[]> {
  const isThere = ([name, { mayBeAbsent }]: readonly [string, Columns[string]]) =>
    server === undefined || !mayBeAbsent || server.hasColumn(table, name)
  const present = Object.entries(table.columns).filter(isThere)
  const columns = ['_uuid', ...present.map(([name]) => name)]
  return {
    wire: { op: 'select', table: table.name, where: encodeClauses(table, where), columns },
    read: ({ rows }) => {
      if (!Array.isArray(rows)) throw new ProtocolError('A select has no rows')
      return rows.map((row) => readSelected(table, record(row, 'A selected row')))
    },
  }
}

/** Goes on when the rows that match have these values, else fails with `timed out`.
 *  @param options.timeoutMilliseconds  0, the default: not waiting at all */
export function wait<T extends AnyTable>(
  table: T,
  where: readonly Clause<T['columns']>[],
  until: '==' | '!=',
  rows: readonly WrittenRow<T['columns']>[],
  options: { readonly columns: readonly (keyof T['columns'] & string)[]; readonly timeoutMilliseconds?: number },
): Operation<void> {
  return silent({
    op: 'wait',
    table: table.name,
    where: encodeClauses(table, where),
    until,
    columns: options.columns,
    rows: rows.map((row) => encodeRow(table, row)),
    timeout: options.timeoutMilliseconds ?? 0,
  })
}

/** A remark for the server's log and history. */
export function comment(text: string): Operation<void> {
  return silent({ op: 'comment', comment: text })
}

/** Fails the transaction with `not owner` unless we hold the lock. */
export function assertLock(name: string): Operation<void> {
  return silent({ op: 'assert', lock: name })
}

function counted(wire: Operation<number>['wire']): Operation<number> {
  return { wire, read: ({ count }) => Number(count) }
}

function silent(wire: Operation<void>['wire']): Operation<void> {
  return { wire, read: () => undefined }
}

function encodeRow(table: AnyTable, row: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, encodeDatum(columnOf(table, name), value)]),
  )
}

function columnOf(table: AnyTable, name: string): Columns[string] {
  const column = table.columns[name]
  if (column === undefined) throw new RangeError(`Table ${table.name} was declared without column ${name}`)
  return column
}

/** No schema is needed: a whole row has no differences, and no column of it is left out. */
function readSelected<T extends AnyTable>(table: T, wire: Readonly<Record<string, unknown>>): RowOf<T> {
  const columns = Object.entries(table.columns).map(([name, column]) => {
    const type = { key: column.key, value: column.value, min: 0, max: Number.POSITIVE_INFINITY } as const
    return { name, datum: Object.hasOwn(wire, name) ? datumOf(column, type) : undefined }
  })
  const uuid: unknown = wire['_uuid']
  if (!Array.isArray(uuid) || typeof uuid[1] !== 'string') throw new ProtocolError('A selected row has no uuid')
  return readRow({ table, columns }, uuid[1] as Uuid, wire) as RowOf<T>
}
