import type { Column, Uuid } from './column.ts'
import type { AtomicType } from './schema.ts'

/** A row that the same transaction inserts under this name. */
export interface NamedUuid {
  readonly namedUuid: string
}

/** What may be written where `V` is read: also a row that is only being inserted, and any map or array. */
export type Written<V> = V extends Uuid
  ? Uuid | NamedUuid
  : V extends readonly (infer E)[]
    ? readonly Written<E>[]
    : V extends ReadonlyMap<infer K, infer W>
      ? ReadonlyMap<K, Written<W>>
      : V

/** Refers to a row inserted by the same transaction. */
export function named(name: string): NamedUuid {
  return { namedUuid: name }
}

/** A value as RFC 7047, section 5.1, writes it. */
export function encodeDatum(column: Column<unknown>, value: unknown): unknown {
  const { key, value: mapped } = column
  if (value === undefined) return ['set', []]
  if (Array.isArray(value)) return ['set', value.map((atom) => encodeAtom(key, atom))]
  if (mapped === undefined || !isMap(value)) return encodeAtom(key, value)
  return ['map', Array.from(value, ([k, v]) => [encodeAtom(key, k), encodeAtom(mapped, v)])]
}

function encodeAtom(type: AtomicType, atom: unknown): unknown {
  if (type !== 'uuid') return atom
  return typeof atom === 'object' && atom !== null ? ['named-uuid', (atom as NamedUuid).namedUuid] : ['uuid', atom]
}

/** Rows in memory have maps of their own kind. */
function isMap(value: unknown): value is ReadonlyMap<unknown, unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}
