import { ProtocolError } from './errors.ts'

const LITERALS: ReadonlyMap<string, boolean | null> = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
])

/** An assignment to `__proto__` would do something else. */
export function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

export function endNumber(text: string): unknown {
  return parseToken(text)
}

export function endWord(text: string): unknown {
  const value = LITERALS.get(text)
  if (value === undefined) throw new ProtocolError(`${JSON.stringify(text)} is no JSON value`)
  return value
}

/** One string or number, by the grammar of JSON.parse. */
export function parseToken(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ProtocolError('A JSON string or number is malformed', { cause })
  }
}

export function isNumberByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2b || byte === 0x2e || byte === 0x45 || byte === 0x65
  )
}

export function isLetter(byte: number): boolean {
  return byte >= 0x61 && byte <= 0x7a
}

export function unexpected(byte: number): ProtocolError {
  return new ProtocolError(`Byte 0x${byte.toString(16).padStart(2, '0')} is not JSON here`)
}
