import type { AnyTable, Rows } from '../../ovsdb/ovsdb.ts'
import type { Northbound } from '../ovn/northbound.ts'
import { OWNER_KEY } from './tables.ts'
import { type Row, wantedTables } from './wanted.ts'

/**
 * The names that we would give to new rows and that rows of others have, each with whose it is, for people. Pure.
 *
 * The database refuses two ports of one name, but not two switches or routers: with these, one network would be in OVN
 * twice, and neither whole. So nothing is to be written then.
 */
export function takenNames(wanted: Northbound, rows: Rows, mark: string): readonly string[] {
  return wantedTables(wanted, () => undefined).flatMap((of) => {
    const { table, rows: named } = of()
    if (!('name' in table.columns)) return []
    const ours = new Set<string>()
    const theirs = new Map<string, string>()
    for (const row of allOf(rows, table)) {
      const name = String(row['name'])
      if (!named.has(name)) continue
      const owner = row.external_ids.get(OWNER_KEY)
      if (owner === mark) ours.add(name)
      else theirs.set(name, owner === undefined ? 'somebody else' : `the installation ${owner}`)
    }
    return Array.from(theirs)
      .filter(([name]) => !ours.has(name))
      .map(([name, owner]) => `${table.name} ${name} of ${owner}`)
  })
}

/** Why nothing is written, and what to do. @param taken  one at least */
export function describeTaken([first, ...more]: readonly string[]): string {
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`
  return `it has ${first}${others} already, which is left alone; nothing is written until the row is gone there, or the record here. Rows of an installation that is no more are removed by ovn-nbctl (docs/paths/ovn.md, "Without Neutron")`
}

// Tables are rows here, so what is known of each one's columns is not known of them all: the compiler is told.
function allOf(rows: Rows, table: AnyTable): Iterable<Row> {
  return rows.all(table as never) as Iterable<Row>
}
