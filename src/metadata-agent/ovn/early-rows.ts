import {
  type AnyTable,
  type Operation,
  type OvsdbClient,
  type RowOf,
  type Rows,
  select,
  type Uuid,
} from '../../ovsdb/ovsdb.ts'
import { DATAPATH_BINDING, PORT_BINDING } from './southbound.ts'

/** A row that was read ahead of the monitor. */
export interface EarlyRow {
  readonly table: AnyTable
  readonly row: RowOf<AnyTable>
}

/** Of each datapath that was asked for, what it has. */
export type EarlyRows = ReadonlyMap<Uuid, readonly EarlyRow[]>

/**
 * What a namespace on each of these datapaths is made of: the switch and its localports. Who is a guest here is known without.
 * One transaction, sent before this returns.
 * @throws what `transact` throws
 */
export async function readEarlyRows(
  southbound: Pick<OvsdbClient, 'transact' | 'hasColumn'>,
  datapaths: readonly Uuid[],
): Promise<EarlyRows> {
  const read = await southbound.transact(
    ...datapaths.flatMap((datapath) => [
      early(DATAPATH_BINDING, select(DATAPATH_BINDING, [['_uuid', '==', datapath]], southbound)),
      early(
        PORT_BINDING,
        select(
          PORT_BINDING,
          [
            ['datapath', '==', datapath],
            ['type', '==', 'localport'],
          ],
          southbound,
        ),
      ),
    ]),
  )
  return new Map(datapaths.map((datapath, i) => [datapath, read.slice(2 * i, 2 * i + 2).flat()]))
}

function early<T extends AnyTable>(
  table: T,
  { wire, read }: Operation<readonly RowOf<T>[]>,
): Operation<readonly EarlyRow[]> {
  return { wire, read: (result) => read(result).map((row) => ({ table, row })) }
}

/** Rows, and beside them those that were read ahead and are not among them yet: what a monitor tells is newer. Pure. */
export function withEarlyRows(rows: Rows, known: () => EarlyRows): Rows {
  const ahead = <T extends AnyTable>(table: T): readonly RowOf<T>[] =>
    Array.from(known().values())
      .flat()
      .filter((one) => one.table.name === table.name && rows.get(table, one.row._uuid) === undefined)
      .map(({ row }) => row as RowOf<T>)
  return {
    get: (table, uuid) => rows.get(table, uuid) ?? ahead(table).find(({ _uuid }) => _uuid === uuid),
    *all(table) {
      yield* rows.all(table)
      yield* ahead(table)
    },
    find: (table, index, key) => [
      ...rows.find(table, index, key),
      ...ahead(table).filter((row) => [keysOf(table, index, row)].flat().includes(key)),
    ],
    count: (table) => rows.count(table) + ahead(table).length,
  }
}

function keysOf<T extends AnyTable>(table: T, index: string, row: RowOf<T>): unknown {
  return table.indexes[index]?.(row as never)
}
