import type { Columns, Row } from './column.ts'

export type IndexKey = string | number

/** Under which key, or keys, a row is found; undefined for rows that are not. Must depend on the row alone. */
type IndexOf<R> = (row: R) => IndexKey | readonly IndexKey[] | undefined

/** A table as its user wants to read it: the columns that are asked for, and the indexes that are kept over them. */
export interface Table<C extends Columns, I extends string> {
  readonly name: string
  readonly columns: C
  readonly indexes: Readonly<Record<I, IndexOf<Row<C>>>>
  /** On servers whose schema lacks the table it is empty, instead of no server that fits. */
  readonly mayBeAbsent: boolean
}

/** Any table, where its columns do not matter. */
export interface AnyTable {
  readonly name: string
  readonly columns: Columns
  readonly indexes: Readonly<Record<string, IndexOf<never>>>
  readonly mayBeAbsent: boolean
}

export type RowOf<T extends AnyTable> = Row<T['columns']>
export type IndexName<T extends AnyTable> = keyof T['indexes'] & string

/**
 * Declares a table.
 *
 *     const ports = table('Port_Binding', { logical_port: text, datapath: reference, mac: set(text) },
 *       { indexes: { byDatapath: (row) => row.datapath } })
 */
export function table<const C extends Columns, I extends string = never>(
  name: string,
  columns: C,
  options: { readonly indexes?: Readonly<Record<I, IndexOf<Row<C>>>>; readonly mayBeAbsent?: boolean } = {},
): Table<C, I> {
  const { indexes = {} as Record<I, IndexOf<Row<C>>>, mayBeAbsent = false } = options
  return { name, columns, indexes, mayBeAbsent }
}
