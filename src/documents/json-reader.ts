import { Float, type Json } from './json.ts'

/**
 * Reads JSON without losing what `JSON.parse` loses and guests would see: the order of members whose names look like
 * integers, integers beyond 2^53, and whether a number was a float. As in Python, NaN and the infinities are numbers, and
 * of members with the same name the last value stands at the first one's place.
 * @throws SyntaxError naming line and column
 */
export function readJson(text: string): Json {
  const reader = new Reader(text)
  const value = reader.value()
  reader.end()
  return value
}

const BLANK = /[ \t\n\r]*/y
const STRING = /"(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
const WORD = /null|true|false|NaN|-?Infinity/y

const WORDS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', new Float(Number.NaN)],
  ['Infinity', new Float(Number.POSITIVE_INFINITY)],
  ['-Infinity', new Float(Number.NEGATIVE_INFINITY)],
])

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(): Json {
    this.#take(BLANK)
    if (this.#skip('{')) return this.#members()
    if (this.#skip('[')) return this.#items()
    const string = this.#take(STRING)
    if (string !== undefined) return unquote(string)
    const word = this.#take(WORD)
    if (word !== undefined) return WORDS.get(word) ?? null
    const number = this.#take(NUMBER)
    if (number !== undefined) return readNumber(number)
    return this.#fail('a value')
  }

  end(): void {
    this.#take(BLANK)
    if (this.#at < this.#text.length) this.#fail('the end')
  }

  #members(): Json {
    const members = new Map<string, Json>()
    this.#take(BLANK)
    if (this.#skip('}')) return members
    do {
      this.#take(BLANK)
      const name = this.#take(STRING) ?? this.#fail('a name in quotation marks')
      this.#take(BLANK)
      if (!this.#skip(':')) this.#fail('a colon')
      members.set(unquote(name), this.value())
      this.#take(BLANK)
    } while (this.#skip(','))
    if (!this.#skip('}')) this.#fail('a comma or a closing brace')
    return members
  }

  #items(): Json {
    const items: Json[] = []
    this.#take(BLANK)
    if (this.#skip(']')) return items
    do {
      items.push(this.value())
      this.#take(BLANK)
    } while (this.#skip(','))
    if (!this.#skip(']')) this.#fail('a comma or a closing bracket')
    return items
  }

  #take(token: RegExp): string | undefined {
    token.lastIndex = this.#at
    const found = token.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #fail(wanted: string): never {
    const before = this.#text.slice(0, this.#at).split('\n')
    const column = (before.at(-1)?.length ?? 0) + 1
    throw new SyntaxError(`expected ${wanted} at line ${before.length}, column ${column}`)
  }
}

/** `JSON.parse` decodes a single string right; only what STRING matched comes here. */
function unquote(string: string): string {
  return String(JSON.parse(string))
}

function readNumber(text: string): Json {
  if (/[.eE]/.test(text)) return new Float(Number(text))
  const integer = Number(text)
  return Number.isSafeInteger(integer) ? integer : BigInt(text)
}
