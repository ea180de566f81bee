/**
 * Remembers one result a key, for as long as it is asked for with the same objects: records are immutable, so an object's
 * identity names its version. What is the same object then needs no comparing further on.
 */
export class Memo<Result> {
  #known = new Map<string, { readonly given: readonly unknown[]; readonly result: Result }>()
  #asked = new Map<string, { readonly given: readonly unknown[]; readonly result: Result }>()

  get(key: string, given: readonly unknown[], make: () => Result): Result {
    const known = this.#known.get(key)
    const isSame = known?.given.length === given.length && given.every((one, i) => one === known.given[i])
    const entry = known !== undefined && isSame ? known : { given, result: make() }
    this.#asked.set(key, entry)
    return entry.result
  }

  /** Forgets what was not asked for since the last call. */
  sweep(): void {
    this.#known = this.#asked
    this.#asked = new Map()
  }
}
