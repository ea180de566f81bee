/**
 * A map of few entries that never changes: keys and values in turn in one array, ordered by key. A hundred thousand rows
 * with two maps each would take some 200 MB more as `Map`.
 */
export class CompactMap<K extends string | number | boolean, V> implements ReadonlyMap<K, V> {
  readonly #flat: readonly (K | V)[]

  /** @param flat  key, value, key, value, … in any order; a key that comes twice has its last value */
  constructor(flat: readonly (K | V)[]) {
    this.#flat = isOrdered(flat) ? flat : ordered(flat)
  }

  get size(): number {
    return this.#flat.length / 2
  }

  get(key: K): V | undefined {
    const at = this.#find(key)
    return at === undefined ? undefined : (this.#flat[at + 1] as V)
  }

  has(key: K): boolean {
    return this.#find(key) !== undefined
  }

  forEach(call: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this) call(value, key, this)
  }

  *entries(): MapIterator<[K, V]> {
    for (let i = 0; i < this.#flat.length; i += 2) yield [this.#flat[i] as K, this.#flat[i + 1] as V]
  }

  *keys(): MapIterator<K> {
    for (const [key] of this.entries()) yield key
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator](): MapIterator<[K, V]> {
    return this.entries()
  }

  equals(other: CompactMap<K, V>): boolean {
    return this.#flat.length === other.#flat.length && this.#flat.every((value, i) => Object.is(value, other.#flat[i]))
  }

  #find(key: K): number | undefined {
    let low = 0
    let high = this.#flat.length / 2
    while (low < high) {
      const middle = (low + high) >> 1
      const candidate = this.#flat[2 * middle] as K
      if (candidate === key) return 2 * middle
      if (candidate < key) low = middle + 1
      else high = middle
    }
    return undefined
  }
}

function isOrdered(flat: readonly unknown[]): boolean {
  for (let i = 2; i < flat.length; i += 2) if (!((flat[i - 2] as string) < (flat[i] as string))) return false
  return true
}

function ordered<K, V>(flat: readonly (K | V)[]): readonly (K | V)[] {
  const entries = new Map<K, V>()
  for (let i = 0; i < flat.length; i += 2) entries.set(flat[i] as K, flat[i + 1] as V)
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).flat() as (K | V)[]
}
