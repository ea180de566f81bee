import type { AnyRow } from './bound-table.ts'
import type { Uuid } from './column.ts'
import { createRowIndex, type RowIndex } from './row-index.ts'
import type { AnyTable, IndexKey, IndexName, RowOf } from './table.ts'

/** What happened to one row. `row` is the row as it is now; of a deleted one, as it was last. */
export type Change<T extends AnyTable> =
  | { readonly kind: 'insert'; readonly row: RowOf<T> }
  | { readonly kind: 'modify'; readonly row: RowOf<T>; readonly old: RowOf<T> }
  | { readonly kind: 'delete'; readonly row: RowOf<T> }

/** All that one message of the server changed. The rows in memory are already those after it. */
export interface Changes {
  of<T extends AnyTable>(table: T): readonly Change<T>[]
}

/** A row to be put in place of another; undefined where there is none. */
export interface Replacement {
  readonly table: string
  readonly old: AnyRow | undefined
  readonly row: AnyRow | undefined
}

/** The rows of the declared tables, as of the last message. */
export interface Rows {
  get<T extends AnyTable>(table: T, uuid: Uuid): RowOf<T> | undefined
  /** Every row of the table. */
  all<T extends AnyTable>(table: T): IterableIterator<RowOf<T>>
  /** The rows under a key of one of the table's indexes. Costs no more than what it finds. */
  find<T extends AnyTable>(table: T, index: IndexName<T>, key: IndexKey): readonly RowOf<T>[]
  count(table: AnyTable): number
}

export interface Replica extends Rows {
  table(name: string): ReadonlyMap<Uuid, AnyRow>
  /** All or nothing: what comes here has been checked. @returns undefined when nothing is to be replaced */
  apply(replacements: readonly Replacement[]): Changes | undefined
}

interface TableRows {
  readonly rows: Map<Uuid, AnyRow>
  readonly indexes: ReadonlyMap<string, RowIndex>
}

export function createReplica(tables: readonly AnyTable[]): Replica {
  const byName = new Map(tables.map((table) => [table.name, emptyTable(table)]))

  function rowsOf(table: string): TableRows {
    const found = byName.get(table)
    if (found === undefined) throw new RangeError(`Table ${table} was not among those the client was opened with`)
    return found
  }

  function replace({ table, old, row }: Replacement): void {
    const { rows, indexes } = rowsOf(table)
    if (row !== undefined) rows.set(row._uuid, row)
    else if (old !== undefined) rows.delete(old._uuid)
    for (const index of indexes.values()) index.move(old, row)
  }

  return {
    table: (name) => rowsOf(name).rows,
    get: <T extends AnyTable>(table: T, uuid: Uuid) => rowsOf(table.name).rows.get(uuid) as RowOf<T> | undefined,
    all: <T extends AnyTable>(table: T) => rowsOf(table.name).rows.values() as IterableIterator<RowOf<T>>,
    count: (table) => rowsOf(table.name).rows.size,
    find<T extends AnyTable>(table: T, name: IndexName<T>, key: IndexKey) {
      const { rows, indexes } = rowsOf(table.name)
      const index = indexes.get(name)
      if (index === undefined) throw new RangeError(`Table ${table.name} has no index ${name}`)
      return Array.from(index.find(key), (uuid) => rows.get(uuid) as RowOf<T>)
    },
    apply(replacements) {
      for (const replacement of replacements) replace(replacement)
      return replacements.length === 0 ? undefined : changesOf(replacements)
    },
  }
}

function emptyTable(table: AnyTable): TableRows {
  const indexes = Object.entries(table.indexes as Readonly<Record<string, (row: AnyRow) => IndexKey>>)
  return { rows: new Map(), indexes: new Map(indexes.map(([name, keysOf]) => [name, createRowIndex(keysOf)])) }
}

function changesOf(replacements: readonly Replacement[]): Changes {
  const byTable = Map.groupBy(replacements, ({ table }) => table)
  return { of: <T extends AnyTable>(table: T) => (byTable.get(table.name) ?? []).map((one) => changeOf<T>(one)) }
}

function changeOf<T extends AnyTable>({ old, row }: Replacement): Change<T> {
  if (row === undefined) return { kind: 'delete', row: old as RowOf<T> }
  return old === undefined
    ? { kind: 'insert', row: row as RowOf<T> }
    : { kind: 'modify', row: row as RowOf<T>, old: old as RowOf<T> }
}
