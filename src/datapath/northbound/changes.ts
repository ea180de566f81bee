import {
  type AnyTable,
  insert,
  mutate,
  named,
  type Operation,
  type Rows,
  remove,
  type Uuid,
  update,
} from '../../ovsdb/ovsdb.ts'
import type { Northbound } from '../ovn/northbound.ts'
import { OWNER_KEY } from './tables.ts'
import { type Columns, type Holding, type Reference, type Row, type Wanted, wantedTables } from './wanted.ts'

/**
 * The operations of the one transaction that makes the Northbound database say what is wanted. Pure. None when it does.
 *
 * Rows that carry our mark and are not wanted go; rows of others stay, also where they have a name that we want
 * (`takenNames`).
 */
export function northboundChanges(wanted: Northbound, rows: Rows, mark: string): readonly Operation<unknown>[] {
  const known = new Map<string, Reference>()
  return wantedTables(wanted, (table, key) => known.get(`${table.name} ${key}`)).flatMap((of) =>
    tableChanges(of(), rows, mark, known),
  )
}

function tableChanges(
  { table, keyOf, rows: wanted, within }: Wanted,
  rows: Rows,
  mark: string,
  known: Map<string, Reference>,
): readonly Operation<unknown>[] {
  const present = new Map(ownRows(table, rows, mark).map((row) => [keyOf(row), row]))
  const held = within === undefined ? new Map<Uuid, readonly Uuid[]>() : holders(within, rows, mark)
  const operations: Operation<unknown>[] = []
  for (const [key, unmarked] of wanted) {
    const columns = { ...unmarked, external_ids: new Map([...unmarked.external_ids, [OWNER_KEY, mark]]) }
    const row = present.get(key)
    const reference = row?._uuid ?? named(`${table.name.toLowerCase()}_${known.size}`)
    known.set(`${table.name} ${key}`, reference)
    operations.push(...(row === undefined ? added(table, columns, reference) : corrected(table, columns, row)))
    if (within === undefined) continue
    const holder = known.get(`${within.table.name} ${within.on(key)}`)
    const by = row === undefined ? [] : (held.get(row._uuid) ?? [])
    if (by.length === 1 && by[0] === holder) continue
    operations.push(...by.map((uuid) => ofHolder(within, uuid, 'delete', reference)))
    if (holder !== undefined) operations.push(ofHolder(within, holder, 'insert', reference))
  }
  const gone = ownRows(table, rows, mark).filter((row) => !wanted.has(keyOf(row)) || present.get(keyOf(row)) !== row)
  const removed = gone.flatMap(({ _uuid }) => [
    // Also from what holds them weakly: in a row that the same transaction changes, ovsdb-server 3.1 leaves the reference.
    ...(within === undefined ? [] : (held.get(_uuid) ?? []).map((uuid) => ofHolder(within, uuid, 'delete', _uuid))),
    // What nothing holds is no more.
    ...(within === undefined || within.isWeak ? [remove(table, at(_uuid))] : []),
  ])
  return [...operations, ...removed]
}

function added(table: AnyTable, columns: Columns, reference: Reference): readonly Operation<unknown>[] {
  return typeof reference === 'string' ? [] : [insert(table, columns as never, { name: reference.namedUuid })]
}

function corrected(table: AnyTable, columns: Columns, row: Row): readonly Operation<unknown>[] {
  const differing = Object.entries(columns).filter(([column, value]) => !isSame(value, row[column]))
  return differing.length === 0 ? [] : [update(table, at(row._uuid), Object.fromEntries(differing) as never)]
}

function ofHolder(
  { table, column }: Holding,
  holder: Reference,
  change: 'insert' | 'delete',
  held: Reference,
): Operation<unknown> {
  return mutate(table, at(holder), [[column, change, [held]]] as never)
}

/** Which rows of ours hold each row. */
function holders({ table, column }: Holding, rows: Rows, mark: string): ReadonlyMap<Uuid, readonly Uuid[]> {
  const pairs = ownRows(table, rows, mark).flatMap((row) =>
    (row[column] as readonly Uuid[]).map((held) => ({ held, by: row._uuid })),
  )
  const byHeld = Map.groupBy(pairs, ({ held }) => held)
  return new Map(Array.from(byHeld, ([held, of]) => [held, of.map(({ by }) => by)]))
}

// Tables are rows here, so what is known of each one's columns is not known of them all: the compiler is told in these two.

function ownRows(table: AnyTable, rows: Rows, mark: string): readonly Row[] {
  return rows.find(table as never, 'byOwner' as never, mark) as readonly Row[]
}

function at(reference: Reference): never {
  return [['_uuid', '==', reference]] as never
}

/** Sets have no order, maps neither; a row in memory has maps of another kind than those that are written. */
function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    const sorted = b.toSorted()
    return a.length === b.length && a.toSorted().every((value, i) => value === sorted[i])
  }
  if (isMap(a) && isMap(b)) return a.size === b.size && Array.from(a).every(([key, value]) => b.get(key) === value)
  return a === b
}

function isMap(value: unknown): value is ReadonlyMap<unknown, unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && !Array.isArray(value)
}
