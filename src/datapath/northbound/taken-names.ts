import type { AnyTable, Rows } from '../../ovsdb/ovsdb.ts'
import type { Northbound } from '../ovn/northbound.ts'
import { OWNER_KEY } from './tables.ts'
import { type Row, wantedTables } from './wanted.ts'

/** A name that we would give to a new row, and that a row of others has. */
export interface TakenName {
  readonly table: string
  readonly name: string
  /** For people. */
  readonly owner: string
}

/**
 * The names that are taken. Pure.
 *
 * The database refuses two ports of one name, but not two switches or routers: with these, one network would be in OVN
 * twice, and neither whole.
 */
export function takenNames(wanted: Northbound, rows: Rows, mark: string): readonly TakenName[] {
  return wantedTables(wanted, () => undefined).flatMap((of) => {
    const { table, rows: named } = of()
    if (!('byName' in table.indexes)) return []
    return Array.from(named.keys()).flatMap((name): readonly TakenName[] => {
      const owners = rowsNamed(rows, table, name).map(({ external_ids }) => external_ids.get(OWNER_KEY))
      if (owners.length === 0 || owners.includes(mark)) return []
      const [owner] = owners
      return [{ table: table.name, name, owner: owner === undefined ? 'somebody else' : `the installation ${owner}` }]
    })
  })
}

/** Why a row is not written, and what to do. */
export function describeTaken({ table, name, owner }: TakenName): string {
  return `the Northbound has ${table} ${name} of ${owner} already, which is left alone; ours, and what would be on it, is not written until the row is gone there, or the record here. Rows of an installation that is no more are removed by ovn-nbctl (docs/paths/ovn.md, "Without Neutron")`
}

// Tables are rows here, so what is known of each one's columns is not known of them all: the compiler is told.
function rowsNamed(rows: Rows, table: AnyTable, name: string): readonly Row[] {
  return rows.find(table as never, 'byName' as never, name) as readonly Row[]
}
