import { type AnyRow, type Binding, type BoundTable, changeRow, readRow, withKnownValues } from './bound-table.ts'
import type { Uuid } from './column.ts'
import { ProtocolError } from './errors.ts'
import type { Replacement, Replica } from './replica.ts'
import { record } from './schema.ts'

/** How a server writes a row's change: `<row-update>` of RFC 7047, or `<row-update2>` of ovsdb-server(7). */
export type Dialect = 'update' | 'update2'

/**
 * What the updates of one message make of the rows in memory. Nothing is changed yet.
 * @throws ProtocolError
 */
export function readUpdates(dialect: Dialect, binding: Binding, replica: Replica, updates: unknown): Replacement[] {
  const replacements: Replacement[] = []
  for (const { bound, uuid, wire } of listUpdates(binding, updates)) {
    const old = replica.table(bound.table.name).get(uuid)
    const row = READ[dialect](bound, uuid, old, wire)
    if (row !== old) replacements.push({ table: bound.table.name, old, row })
  }
  return replacements
}

/**
 * What a dump of everything makes of the rows in memory, as if they had been told one by one: rows that are not in it
 * are gone, rows that are in it unchanged cause nothing.
 * @throws ProtocolError
 */
export function readDump(
  dialect: Dialect,
  binding: Binding,
  replica: Replica,
  tables: readonly string[],
  updates: unknown,
): Replacement[] {
  const replacements: Replacement[] = []
  const seen = new Map<string, Set<Uuid>>(tables.map((table) => [table, new Set()]))
  for (const { bound, uuid, wire } of listUpdates(binding, updates)) {
    const table = bound.table.name
    const old = replica.table(table).get(uuid)
    const row = READ[dialect](bound, uuid, old, wire)
    seen.get(table)?.add(uuid)
    if (row !== old) replacements.push({ table, old, row })
  }
  for (const [table, uuids] of seen)
    for (const [uuid, old] of replica.table(table))
      if (!uuids.has(uuid)) replacements.push({ table, old, row: undefined })
  return replacements
}

function* listUpdates(
  binding: Binding,
  updates: unknown,
): Generator<{ readonly bound: BoundTable; readonly uuid: Uuid; readonly wire: Readonly<Record<string, unknown>> }> {
  const tables = record(updates, 'The updates of a monitor')
  for (const table of Object.keys(tables)) {
    const bound = binding.get(table)
    if (bound === undefined) throw new ProtocolError(`The server sent rows of ${table}, which nobody asked for`)
    const rows = record(tables[table], `The updates of ${table}`)
    for (const uuid of Object.keys(rows))
      yield { bound, uuid: uuid as Uuid, wire: record(rows[uuid], `The update of a row of ${table}`) }
  }
}

type Reader = (
  bound: BoundTable,
  uuid: Uuid,
  old: AnyRow | undefined,
  wire: Readonly<Record<string, unknown>>,
) => AnyRow | undefined

const READ: Readonly<Record<Dialect, Reader>> = {
  /** `new` is the whole row, also after a modification. */
  update: (bound, uuid, old, wire) =>
    Object.hasOwn(wire, 'new') ? wholeRow(bound, uuid, old, wire['new']) : undefined,

  update2(bound, uuid, old, wire) {
    if (Object.hasOwn(wire, 'modify')) {
      if (old === undefined)
        throw new ProtocolError(`The server modified row ${uuid} of ${bound.table.name}, which it never sent`)
      return withKnownValues(bound, old, changeRow(bound, old, record(wire['modify'], 'A row')))
    }
    if (Object.hasOwn(wire, 'delete')) return undefined
    const kind = ['insert', 'initial'].find((known) => Object.hasOwn(wire, known))
    if (kind === undefined) throw new ProtocolError(`The server sent an update of no known kind: ${Object.keys(wire)}`)
    return wholeRow(bound, uuid, old, wire[kind])
  },
}

function wholeRow(bound: BoundTable, uuid: Uuid, old: AnyRow | undefined, wire: unknown): AnyRow {
  const row = readRow(bound, uuid, record(wire, 'A row'))
  return old === undefined ? row : withKnownValues(bound, old, row)
}
