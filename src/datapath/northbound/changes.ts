import { isDeepStrictEqual } from 'node:util'
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
import {
  DHCP_OPTIONS,
  LOGICAL_ROUTER,
  LOGICAL_ROUTER_PORT,
  LOGICAL_SWITCH,
  LOGICAL_SWITCH_PORT,
  OWNER_KEY,
} from './tables.ts'

type Reference = Uuid | ReturnType<typeof named>
type Columns = Readonly<Record<string, unknown>>
type Row = Columns & { readonly _uuid: Uuid; readonly external_ids: ReadonlyMap<string, string> }

/** What has to be there of one table. */
interface Wanted {
  readonly table: AnyTable
  /** Tells rows of ours apart. */
  readonly keyOf: (row: Row) => string
  readonly rows: ReadonlyMap<string, Columns>
  /** The table of what holds them, in its column `ports`, and which row of it holds one; rows of others stand alone. */
  readonly within?: { readonly table: AnyTable; readonly on: (key: string) => string }
}

const nameOf = (row: Row) => String(row['name'])

/**
 * The operations of the one transaction that makes the Northbound database say what is wanted. Pure. None when it does.
 *
 * Rows that carry our mark and are not wanted go; rows of others stay, also where they have a name that we want: then the
 * transaction is refused by the database, as two rows of one name, and nothing is done.
 */
export function northboundChanges(wanted: Northbound, rows: Rows, mark: string): readonly Operation<unknown>[] {
  const known = new Map<string, Reference>()
  const marked = (ids: ReadonlyMap<string, string>) => new Map([...ids, [OWNER_KEY, mark]])
  const withMark = <C extends { readonly external_ids: ReadonlyMap<string, string> }>(columns: C): Columns => ({
    ...columns,
    external_ids: marked(columns.external_ids),
  })
  const refer = (key: string | undefined) => (key === undefined ? undefined : known.get(`DHCP_Options ${key}`))

  const tables: readonly (() => Wanted)[] = [
    () => ({
      table: DHCP_OPTIONS,
      keyOf: ({ external_ids }) => external_ids.get('subnet_id') ?? '',
      rows: mapValues(wanted.dhcp, withMark),
    }),
    () => ({ table: LOGICAL_SWITCH, keyOf: nameOf, rows: mapValues(wanted.switches, withName(withMark)) }),
    () => ({
      table: LOGICAL_SWITCH_PORT,
      keyOf: nameOf,
      rows: mapValues(wanted.ports, ({ columns, dhcpv4, dhcpv6 }, name) => ({
        name,
        ...withMark(columns),
        dhcpv4_options: refer(dhcpv4),
        dhcpv6_options: refer(dhcpv6),
      })),
      within: { table: LOGICAL_SWITCH, on: (key) => wanted.ports.get(key)?.on ?? '' },
    }),
    () => ({ table: LOGICAL_ROUTER, keyOf: nameOf, rows: mapValues(wanted.routers, withName(withMark)) }),
    () => ({
      table: LOGICAL_ROUTER_PORT,
      keyOf: nameOf,
      rows: mapValues(wanted.routerPorts, ({ columns }, name) => ({ name, ...withMark(columns) })),
      within: { table: LOGICAL_ROUTER, on: (key) => wanted.routerPorts.get(key)?.on ?? '' },
    }),
  ]
  return tables.flatMap((of) => tableChanges(of(), rows, mark, known))
}

function tableChanges(
  { table, keyOf, rows: wanted, within }: Wanted,
  rows: Rows,
  mark: string,
  known: Map<string, Reference>,
): readonly Operation<unknown>[] {
  const present = new Map(ownRows(table, rows, mark).map((row) => [keyOf(row), row]))
  const operations: Operation<unknown>[] = []
  for (const [key, columns] of wanted) {
    const row = present.get(key)
    const reference = row?._uuid ?? named(`${table.name.toLowerCase()}_${known.size}`)
    known.set(`${table.name} ${key}`, reference)
    operations.push(...(row === undefined ? added(table, columns, reference) : corrected(table, columns, row)))
    if (within === undefined) continue
    const holder = known.get(`${within.table.name} ${within.on(key)}`)
    const held = row === undefined ? [] : holders(within.table, rows, row._uuid, mark)
    if (held.length === 1 && held[0] === holder) continue
    operations.push(...held.map((uuid) => ofPorts(within.table, uuid, 'delete', reference)))
    if (holder !== undefined) operations.push(ofPorts(within.table, holder, 'insert', reference))
  }
  const gone = [...present].filter(([key]) => !wanted.has(key)).map(([, { _uuid }]) => _uuid)
  // What no switch and no router holds is no more.
  const removed = gone.flatMap((port) =>
    within === undefined
      ? [remove(table, at(port))]
      : holders(within.table, rows, port, mark).map((uuid) => ofPorts(within.table, uuid, 'delete', port)),
  )
  return [...operations, ...removed]
}

function added(table: AnyTable, columns: Columns, reference: Reference): readonly Operation<unknown>[] {
  return typeof reference === 'string' ? [] : [insert(table, columns as never, { name: reference.namedUuid })]
}

function corrected(table: AnyTable, columns: Columns, row: Row): readonly Operation<unknown>[] {
  const differing = Object.entries(columns).filter(([column, value]) => !isSame(value, row[column]))
  return differing.length === 0 ? [] : [update(table, at(row._uuid), Object.fromEntries(differing) as never)]
}

function ofPorts(table: AnyTable, holder: Reference, change: 'insert' | 'delete', port: Reference): Operation<unknown> {
  return mutate(table, at(holder), [['ports', change, [port]]] as never)
}

function holders(table: AnyTable, rows: Rows, port: Uuid, mark: string): readonly Uuid[] {
  return ownRows(table, rows, mark)
    .filter((row) => (row['ports'] as readonly Uuid[]).includes(port))
    .map(({ _uuid }) => _uuid)
}

// Tables are rows here, so what is known of each one's columns is not known of them all: the compiler is told in these two.

function ownRows(table: AnyTable, rows: Rows, mark: string): readonly Row[] {
  return rows.find(table as never, 'byOwner' as never, mark) as readonly Row[]
}

function at(reference: Reference): never {
  return [['_uuid', '==', reference]] as never
}

function withName(withMark: (columns: never) => Columns) {
  return (columns: unknown, name: string): Columns => ({ name, ...withMark(columns as never) })
}

function mapValues<V>(
  map: ReadonlyMap<string, V>,
  draw: (value: V, key: string) => Columns,
): ReadonlyMap<string, Columns> {
  return new Map(Array.from(map, ([key, value]) => [key, draw(value, key)]))
}

/** Sets have no order, maps neither. */
function isSame(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(ordered(a), ordered(b))
}

function ordered(value: unknown): unknown {
  return Array.isArray(value) ? value.toSorted() : value
}
