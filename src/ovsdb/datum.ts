import type { Column } from './column.ts'
import { CompactMap } from './compact-map.ts'
import { ProtocolError } from './errors.ts'
import type { AtomicType, ColumnType } from './schema.ts'
import { WireMap } from './wire-map.ts'

type Atom = string | number | boolean
type AtomMap = CompactMap<Atom, Atom>

/** How one column's values are read from the wire. Values: an atom, undefined, an ascending array, a CompactMap. */
export interface Datum {
  /** @throws ProtocolError when it is no value of the column */
  readonly decode: (wire: unknown) => unknown
  /** The value after a `modify` of update2 and update3. @throws ProtocolError */
  readonly applyDifference: (old: unknown, wire: unknown) => unknown
  /** What a row has that does not name the column. */
  readonly initial: unknown
}

const EMPTY_SET: readonly Atom[] = []
const EMPTY_MAP: AtomMap = new CompactMap<Atom, Atom>([])
const ZERO_UUID = '00000000-0000-0000-0000-000000000000'
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** RFC 7047, section 5.2.1. */
const DEFAULTS: Readonly<Record<AtomicType, Atom>> = {
  integer: 0,
  real: 0,
  boolean: false,
  string: '',
  uuid: ZERO_UUID,
}

type AtomReader = (wire: unknown) => Atom | undefined

const ATOMS: Readonly<Record<AtomicType, AtomReader>> = {
  integer: (wire) => (Number.isInteger(wire) ? (wire as number) : undefined),
  real: (wire) => (typeof wire === 'number' ? wire : undefined),
  boolean: (wire) => (typeof wire === 'boolean' ? wire : undefined),
  string: (wire) => (typeof wire === 'string' ? wire : undefined),
  uuid: (wire) => {
    if (!Array.isArray(wire) || wire.length !== 2 || wire[0] !== 'uuid') return undefined
    return typeof wire[1] === 'string' && UUID.test(wire[1]) ? wire[1] : undefined
  },
}

/** Whether a column of the schema can be read as one was declared: never narrower than what the server may send. */
export function fits({ shape, key, value }: Column<unknown>, type: ColumnType): boolean {
  if (key !== type.key || value !== type.value) return false
  if (shape === 'scalar') return type.min === 1 && type.max === 1
  return shape !== 'optional' || type.max === 1
}

/** @param type  what the schema says, which decides how differences are meant; it fits the column */
export function datumOf(column: Column<unknown>, type: ColumnType): Datum {
  const shape = SHAPES[column.shape](type)
  // A difference of a column that takes one value at most is its new value, even where that is "none".
  return type.max > 1 ? shape : { ...shape, applyDifference: (_, wire) => shape.decode(wire) }
}

const SHAPES: Readonly<Record<Column<unknown>['shape'], (type: ColumnType) => Datum>> = {
  scalar: ({ key }) => single((wire) => readAtom(ATOMS[key], wire), DEFAULTS[key]),
  optional: ({ key, min }) =>
    single(
      (wire) => {
        const atoms = readSet(ATOMS[key], wire)
        if (atoms.length > 1) throw malformed('a set of one at most', wire)
        return atoms[0]
      },
      min === 0 ? undefined : DEFAULTS[key],
    ),
  set: ({ key, min }) => ({
    decode: (wire) => readSet(ATOMS[key], wire),
    applyDifference: (old, wire) => symmetricDifference(old as readonly Atom[], readSet(ATOMS[key], wire)),
    initial: min === 0 ? EMPTY_SET : [DEFAULTS[key]],
  }),
  map: ({ key, value = 'string', min }) => ({
    decode: (wire) => readMap(ATOMS[key], ATOMS[value], wire),
    applyDifference: (old, wire) => mapDifference(old as AtomMap, readMap(ATOMS[key], ATOMS[value], wire)),
    initial: min === 0 ? EMPTY_MAP : new CompactMap([DEFAULTS[key], DEFAULTS[value]]),
  }),
}

function single(decode: Datum['decode'], initial: unknown): Datum {
  return { decode, initial, applyDifference: (_, wire) => decode(wire) }
}

/** Whether two values of one column are the same. */
export function isSameDatum(a: unknown, b: unknown): boolean {
  if (a instanceof CompactMap) return b instanceof CompactMap && a.equals(b)
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((atom, i) => atom === b[i])
  return a === b
}

function readAtom(read: AtomReader, wire: unknown): Atom {
  const atom = read(wire)
  if (atom === undefined) throw malformed('an atom of the column’s type', wire)
  return atom
}

/** A set of exactly one element may come as the bare element. */
function readSet(read: AtomReader, wire: unknown): readonly Atom[] {
  if (!Array.isArray(wire) || wire[0] !== 'set') return [readAtom(read, wire)]
  const elements: unknown = wire[1]
  if (wire.length !== 2 || !Array.isArray(elements)) throw malformed('a set', wire)
  return elements.length === 0 ? EMPTY_SET : ascending(elements.map((element) => readAtom(read, element)))
}

function readMap(readKey: AtomReader, readValue: AtomReader, wire: unknown): AtomMap {
  if (!(wire instanceof WireMap)) throw malformed('a map', wire)
  const { flat } = wire
  if (flat.length === 0) return EMPTY_MAP
  return new CompactMap<Atom, Atom>(flat.map((atom, i) => readAtom(i % 2 === 0 ? readKey : readValue, atom)))
}

function symmetricDifference(old: readonly Atom[], changed: readonly Atom[]): readonly Atom[] {
  const result = new Set(old)
  for (const atom of changed) if (!result.delete(atom)) result.add(atom)
  return ascending([...result])
}

/** A pair that is there already goes; any other comes or takes the place of its key's. */
function mapDifference(old: AtomMap, changed: AtomMap): AtomMap {
  const result = new Map(old)
  for (const [key, value] of changed) {
    if (result.get(key) === value) result.delete(key)
    else result.set(key, value)
  }
  return new CompactMap<Atom, Atom>([...result].flat())
}

/** Servers send sets in an order, but differences come in pieces of it, and other implementations in none. */
function ascending(atoms: Atom[]): readonly Atom[] {
  return atoms.length < 2 ? atoms : atoms.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
}

function malformed(what: string, wire: unknown): ProtocolError {
  return new ProtocolError(`The server sent ${JSON.stringify(wire)?.slice(0, 80)}, which is not ${what}`)
}
