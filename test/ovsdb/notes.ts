import { fileURLToPath } from 'node:url'
import {
  boolean,
  integer,
  map,
  type OvsdbClient,
  type OvsdbOptions,
  openOvsdb,
  optional,
  real,
  reference,
  set,
  table,
  text,
} from '../../src/ovsdb/ovsdb.ts'

/** A database with a column of every kind. */
export const NOTES_SCHEMA = fileURLToPath(new URL('notes.ovsschema', import.meta.url))

export const NOTE = table(
  'Note',
  {
    name: text,
    size: integer,
    weight: real,
    open: boolean,
    mood: text,
    owner: optional(reference),
    title: optional(text),
    words: set(text),
    counts: set(integer),
    readers: set(reference),
    tags: map(text, text),
    one_tag: map(text, text),
    ages: map(integer, reference),
    some: set(integer),
  },
  {
    indexes: {
      byName: (row) => row.name,
      byWord: (row) => row.words,
      byOwner: (row) => row.owner,
    },
  },
)

export const PERSON = table('Person', { name: text }, { indexes: { byName: (row) => row.name } })

const clients = new Set<OvsdbClient>()

export function openNotes(remotes: string, options: Partial<OvsdbOptions> = {}): OvsdbClient {
  const client = openOvsdb({ database: 'Notes', tables: [NOTE, PERSON], ...options, remotes })
  clients.add(client)
  return client
}

export async function closeClients(): Promise<void> {
  await Promise.all([...clients].map((client) => client.close()))
}

/** The rows as plain values, by name, for comparison. */
export function plain(client: OvsdbClient): Record<string, unknown> {
  const rows = Array.from(client.all(NOTE), (row) => [row.name, plainRow(row)] as const)
  return Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function plainRow(row: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, isIterable(value) ? Array.from(value) : value]),
  )
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}
