import { ProtocolError } from './errors.ts'
import { endNumber, endWord, isLetter, isNumberByte, parseToken, setOwn, unexpected } from './json-token.ts'
import { createTextCache } from './text-cache.ts'

/** What one message may cost. Beyond it the stream is refused. */
export interface JsonLimits {
  /** Containers within containers. Nothing in OVSDB goes deeper than about ten; its own parser takes 1,000. */
  readonly maxDepth: number
  /** Bytes of one message. The first dump of a large cloud has tens of megabytes. */
  readonly maxBytes: number
}

export const DEFAULT_LIMITS: JsonLimits = { maxDepth: 100, maxBytes: 1 << 30 }

export interface JsonStream {
  /** Takes the next bytes, cut anywhere. @throws ProtocolError; nothing may be pushed after it */
  push(chunk: Uint8Array): void
}

/** Longer than any number that means something: 64 bits have 20 digits, a double's shortest text 24. */
const MAX_NUMBER_BYTES = 400

/** Far more than any text in a database, far less than what a string can hold. */
const MAX_STRING_BYTES = 1 << 26

/** What a token needs on the way is given back when it was larger. */
const KEPT_BYTES = 1 << 16

/** What may come next. */
const MESSAGE = 0
const VALUE = 1
const VALUE_OR_END = 2
const KEY = 3
const KEY_OR_END = 4
const COLON = 5
const COMMA_OR_END = 6
/** We are inside of one. */
const STRING = 7
const NUMBER = 8
const WORD = 9

/** An object as far as it is read, or of an array where its elements begin among those of all open arrays. */
type Container = number | Record<string, unknown>

/**
 * Reads JSON objects that follow one another with nothing between them, as JSON-RPC 1.0 on a stream has them. Values are
 * built while the bytes come in: no message is ever held as text, and no chunk takes longer than its own length.
 *
 * Accepts what JSON.parse accepts and gives the same values; bytes that are no UTF-8 become U+FFFD.
 * @param onMessage  called from within `push` for every object that is complete. What it throws, `push` throws
 * @param revive  what to have in place of an array
 */
export function createJsonStream(
  onMessage: (message: object) => void,
  limits: JsonLimits = DEFAULT_LIMITS,
  revive: (array: unknown[]) => unknown = (array) => array,
): JsonStream {
  const containers: Container[] = []
  let elements: unknown[] = [] // cut into arrays of their exact size; one that grows by itself keeps 17 places at least
  let elementCount = 0
  const keys: string[] = [] // of each open object, the key whose value is being read
  const shortText = createTextCache()
  let state = MESSAGE
  let isKey = false
  let isEscaped = false // the last byte of the string was a backslash that is not itself escaped
  let hasEscapes = false
  let isAscii = true
  let held = Buffer.alloc(256) // a token that an earlier chunk began
  let heldLength = 0
  let bytesBefore = 0 // of the message, in earlier chunks

  function push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let begin = 0 // of the message in this chunk
    let at = 0
    while (at < bytes.length) {
      at = step(bytes, at)
      if (state === MESSAGE) {
        begin = at
        bytesBefore = 0
      } else if (bytesBefore + at - begin > limits.maxBytes) {
        throw new ProtocolError(`A JSON message is longer than ${limits.maxBytes} bytes`)
      }
    }
    bytesBefore += at - begin
  }

  /** @returns where the next byte to read is: at least one further, except when a number or word has just ended */
  function step(bytes: Buffer, at: number): number {
    if (state === STRING) return continueString(bytes, at)
    if (state === NUMBER) return continueToken(bytes, at, isNumberByte, endNumber)
    if (state === WORD) return continueToken(bytes, at, isLetter, endWord)
    const byte = bytes[at] as number
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return at + 1
    switch (byte) {
      case 0x7b: // {
        return openObject(at)
      case 0x5b: // [
        return openArray(at)
      case 0x7d: // }
        if (state !== KEY_OR_END && state !== COMMA_OR_END) throw unexpected(byte)
        return closeObject(at)
      case 0x5d: // ]
        if (state !== VALUE_OR_END && state !== COMMA_OR_END) throw unexpected(byte)
        return closeArray(at)
      case 0x2c: // ,
        if (state !== COMMA_OR_END) throw unexpected(byte)
        state = typeof containers.at(-1) === 'number' ? VALUE : KEY
        return at + 1
      case 0x3a: // :
        if (state !== COLON) throw unexpected(byte)
        state = VALUE
        return at + 1
      case 0x22: // "
        return beginString(bytes, at)
    }
    if (state !== VALUE && state !== VALUE_OR_END) throw unexpected(byte)
    if (isNumberByte(byte)) state = NUMBER
    else if (isLetter(byte)) state = WORD
    else throw unexpected(byte)
    return at
  }

  function openObject(at: number): number {
    if (state !== MESSAGE && state !== VALUE && state !== VALUE_OR_END) throw unexpected(0x7b)
    open({})
    keys.push('')
    state = KEY_OR_END
    return at + 1
  }

  function openArray(at: number): number {
    if (state !== VALUE && state !== VALUE_OR_END) throw unexpected(0x5b)
    open(elementCount)
    state = VALUE_OR_END
    return at + 1
  }

  function open(container: Container): void {
    if (containers.length >= limits.maxDepth)
      throw new ProtocolError(`A JSON message is nested more than ${limits.maxDepth} deep`)
    containers.push(container)
  }

  function closeObject(at: number): number {
    const object = containers.pop()
    if (typeof object !== 'object') throw unexpected(0x7d)
    keys.pop()
    if (containers.length > 0) {
      put(object)
    } else {
      state = MESSAGE
      elements = []
      onMessage(object)
    }
    return at + 1
  }

  function closeArray(at: number): number {
    const begin = containers.pop()
    if (typeof begin !== 'number') throw unexpected(0x5d)
    const array = elements.slice(begin, elementCount)
    elementCount = begin
    put(revive(array))
    return at + 1
  }

  function put(value: unknown): void {
    const container = containers.at(-1) as Container
    state = COMMA_OR_END
    if (typeof container === 'number') elements[elementCount++] = value
    else setOwn(container, keys.at(-1) as string, value)
  }

  function beginString(bytes: Buffer, at: number): number {
    isKey = state === KEY || state === KEY_OR_END
    if (!isKey && state !== VALUE && state !== VALUE_OR_END) throw unexpected(0x22)
    state = STRING
    isEscaped = false
    hasEscapes = false
    isAscii = true
    return continueString(bytes, at + 1)
  }

  function continueString(bytes: Buffer, at: number): number {
    let end = at
    for (; end < bytes.length; end += 1) {
      const byte = bytes[end] as number
      if (byte < 0x20) throw unexpected(byte)
      if (byte >= 0x80) isAscii = false
      if (isEscaped) isEscaped = false
      else if (byte === 0x22) break
      else if (byte === 0x5c) {
        isEscaped = true
        hasEscapes = true
      }
    }
    if (heldLength + end - at > MAX_STRING_BYTES)
      throw new ProtocolError(`A JSON string is longer than ${MAX_STRING_BYTES} bytes`)
    if (end === bytes.length) {
      hold(bytes, at, end)
      return end
    }
    const text = heldLength === 0 ? decodeString(bytes, at, end) : decodeHeldString(bytes, at, end)
    if (isKey) {
      keys[keys.length - 1] = text
      state = COLON
    } else {
      put(text)
    }
    return end + 1
  }

  function decodeHeldString(bytes: Buffer, at: number, end: number): string {
    hold(bytes, at, end)
    const text = decodeString(held, 0, heldLength)
    heldLength = 0
    if (held.length > KEPT_BYTES) held = Buffer.alloc(256)
    return text
  }

  function decodeString(bytes: Buffer, at: number, end: number): string {
    if (hasEscapes) return parseToken(`"${bytes.toString('utf8', at, end)}"`) as string
    if (isAscii) return shortText(bytes, at, end) ?? bytes.toString('latin1', at, end)
    return bytes.toString('utf8', at, end)
  }

  function continueToken(
    bytes: Buffer,
    at: number,
    isPart: (byte: number) => boolean,
    value: (text: string) => unknown,
  ): number {
    let end = at
    while (end < bytes.length && isPart(bytes[end] as number)) end += 1
    if (heldLength + end - at > MAX_NUMBER_BYTES) throw new ProtocolError('A JSON number or word is too long')
    hold(bytes, at, end)
    if (end === bytes.length) return end
    const text = held.toString('latin1', 0, heldLength)
    heldLength = 0
    put(value(text))
    return end
  }

  function hold(bytes: Buffer, at: number, end: number): void {
    const length = heldLength + end - at
    if (length > held.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * held.length))
      held.copy(larger, 0, 0, heldLength)
      held = larger
    }
    bytes.copy(held, heldLength, at, end)
    heldLength = length
  }

  return { push }
}
