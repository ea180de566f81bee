import type { AtomicType } from './schema.ts'

declare const brand: unique symbol
/** A row's name within its database, in lower case with hyphens. */
export type Uuid = string & { readonly [brand]: 'uuid' }

/** A column as its user wants to read it. `V` is the type of its values. */
export interface Column<V> {
  readonly shape: 'scalar' | 'optional' | 'set' | 'map'
  readonly key: AtomicType
  readonly value: AtomicType | undefined
  readonly mayBeAbsent: boolean
  /** Never there; it carries the type. */
  readonly reads?: V
}

type Atom = string | number | boolean

const scalar = (key: AtomicType) => ({ shape: 'scalar', key, value: undefined, mayBeAbsent: false }) as const

export const text: Column<string> = scalar('string')
/** Whole numbers beyond 2^53 are rounded, as JavaScript's numbers are. */
export const integer: Column<number> = scalar('integer')
export const real: Column<number> = scalar('real')
export const boolean: Column<boolean> = scalar('boolean')
/** Another row. Look it up with `get`: it may not be there (not monitored, or a weak reference just gone). */
export const reference: Column<Uuid> = scalar('uuid')

/** At most one value; undefined when there is none. */
export function optional<V extends Atom>(of: Column<V>): Column<V | undefined> {
  return { ...of, shape: 'optional' } as Column<V | undefined>
}

/** Any number of values, in ascending order. A column that takes no more than one may be read as a set, too. */
export function set<V extends Atom>(of: Column<V>): Column<readonly V[]> {
  const { key, value, mayBeAbsent } = of
  return { shape: 'set', key, value, mayBeAbsent }
}

export function map<K extends Atom, V extends Atom>(key: Column<K>, value: Column<V>): Column<ReadonlyMap<K, V>> {
  return { shape: 'map', key: key.key, value: value.key, mayBeAbsent: false }
}

/** A column that older or newer servers do not have: it then reads as undefined. */
export function ifPresent<V>(column: Column<V>): Column<V | undefined> {
  return { ...column, mayBeAbsent: true } as Column<V | undefined>
}

export type Columns = Readonly<Record<string, Column<unknown>>>

/** A row. It never changes: a change makes a new row, which shares the columns that stayed. */
export type Row<C extends Columns> = { readonly _uuid: Uuid } & {
  readonly [Name in keyof C]: C[Name] extends Column<infer V> ? V : never
}
