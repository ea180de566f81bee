/** Draws that a number repeats: the same seed gives the same values, on any machine. */
export class Random {
  #state: number

  /** @param seed  any numbers; each list of them begins a sequence of its own */
  constructor(...seed: readonly number[]) {
    this.#state = seed.reduce((state, part) => mixed(state ^ part), 0x9e3779b9)
  }

  /** 0 to 2^32 - 1. A counter through a mixing function (splitmix32): short, and good enough for tests. */
  #next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    return mixed(this.#state)
  }

  /** From `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + (this.#next() % (high - low + 1))
  }

  /** True once in `n`. */
  once(n: number): boolean {
    return this.integer(1, n) === 1
  }

  pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.integer(0, choices.length - 1)]
    if (chosen === undefined) throw new Error('nothing to choose from, or undefined among it')
    return chosen
  }

  list<T>(low: number, high: number, draw: (index: number) => T): readonly T[] {
    return Array.from({ length: this.integer(low, high) }, (_, index) => draw(index))
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.integer(0, 255))
  }

  hex(digits: number): string {
    return Buffer.from(this.bytes(digits / 2)).toString('hex')
  }

  /** Version 4, variant 1. */
  uuid(): string {
    const digits = this.hex(32)
    return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-4${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20)}`
  }
}

/** Every bit of the input moves half of the output's (the finisher of MurmurHash3). */
function mixed(number: number): number {
  let bits = number >>> 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
