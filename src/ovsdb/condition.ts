import { type Columns, type Row, reference } from './column.ts'
import type { AnyTable } from './table.ts'
import { encodeDatum, type Written } from './wire.ts'

/** RFC 7047, section 5.1, `<function>`. `includes` and `excludes` take a part of a set or map. */
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'includes' | 'excludes'

/** One test of a row: a column, how it is compared, with what. */
export type Clause<C extends Columns> = {
  [Name in keyof Row<C> & string]: readonly [Name, Comparison, Written<Exclude<Row<C>[Name], undefined>> | undefined]
}[keyof Row<C> & string]

/** A clause on the wire, still with its column's name in front. */
export type WireClause = readonly [column: string, comparison: string, value: unknown]

export function encodeClauses<T extends AnyTable>(
  table: T,
  clauses: readonly Clause<T['columns']>[],
): readonly WireClause[] {
  return clauses.map(([name, comparison, value]) => {
    const column = name === '_uuid' ? reference : table.columns[name]
    if (column === undefined) throw new RangeError(`Table ${table.name} was declared without column ${name}`)
    return [name, comparison, encodeDatum(column, value)]
  })
}
