/**
 * JSON as Python's `json.dumps` writes it, which is what guests get byte for byte: a blank behind comma and colon, all
 * but printable ASCII escaped, floats in Python's notation.
 */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | Float
  | readonly Json[]
  | ReadonlyMap<string, Json>
  | { readonly [name: string]: Json | undefined }

/** A number that was written with a fraction or an exponent: Python keeps 2.0 apart from 2, JavaScript does not. */
export class Float {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

/** Members in order; an undefined member of a plain object is left out. Use a Map for names a user chose: JavaScript
 *  moves names that look like integers to the front of a plain object. */
export function writeJson(value: Json): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'string':
      return quote(value)
    case 'number':
      return Number.isInteger(value) ? BigInt(value).toString() : floatText(value)
    case 'bigint':
    case 'boolean':
      return String(value)
  }
  if (value instanceof Float) return floatText(value.value)
  if (isList(value)) return `[${value.map(writeJson).join(', ')}]`
  const members = value instanceof Map ? value.entries() : Object.entries(value)
  return `{${Array.from(members, ([name, member]) => writeMember(name, member))
    .filter((text) => text !== '')
    .join(', ')}}`
}

/** `"name": value`, or empty text when there is no value. */
export function writeMember(name: string, value: Json | undefined): string {
  return value === undefined ? '' : `${quote(name)}: ${writeJson(value)}`
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value)
}

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\f', '\\f'],
  ['\b', '\\b'],
])

/** Works on UTF-16 units: a character beyond the basic plane becomes two escapes, as in Python. */
function quote(text: string): string {
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`
  return `"${text.replace(/[^ !#-[\]-~]/g, (unit) => SHORT_ESCAPES.get(unit) ?? unicodeEscape(unit))}"`
}

function unicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Shortest digits that read back the same, as in both languages; Python turns to an exponent at 1e16 (JavaScript: 1e21)
 *  and below 1e-4 (1e-6), and writes at least two digits of it. */
function floatText(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  const [digits = '0', power = '0'] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 16) {
    return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  const text = Object.is(value, -0) ? '-0' : String(value)
  return Number.isInteger(value) ? `${text}.0` : text
}
