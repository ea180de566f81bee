/** A `<map>` of RFC 7047, section 5.1, as it is kept while a message is read: keys and values in turn. The pairs, of which
 *  the first dump of a large database has millions, are gone as soon as they are read. */
export class WireMap {
  readonly flat: unknown[]

  constructor(flat: unknown[]) {
    this.flat = flat
  }

  toJSON(): unknown {
    return ['map', Array.from({ length: this.flat.length / 2 }, (_, i) => this.flat.slice(2 * i, 2 * i + 2))]
  }
}

/** The array itself, if it is no map. Pure. */
export function asWireMap(array: unknown[]): unknown {
  const [tag, pairs] = array
  if (tag !== 'map' || array.length !== 2 || !Array.isArray(pairs)) return array
  const flat: unknown[] = new Array(2 * pairs.length)
  for (let i = 0; i < pairs.length; i += 1) {
    const pair: unknown = pairs[i]
    if (!Array.isArray(pair) || pair.length !== 2) return array
    flat[2 * i] = pair[0]
    flat[2 * i + 1] = pair[1]
  }
  return new WireMap(flat)
}
