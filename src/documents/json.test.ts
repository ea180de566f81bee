import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Float, type Json, writeJson } from './json.ts'

const cases: readonly { readonly name: string; readonly given: Json; readonly want: string }[] = [
  {
    name: 'a blank behind comma and colon',
    given: { a: [1, true, null], b: {} },
    want: '{"a": [1, true, null], "b": {}}',
  },
  { name: 'undefined members are left out', given: { a: undefined, b: 1, c: undefined }, want: '{"b": 1}' },
  {
    name: 'a Map keeps its order',
    given: new Map([
      ['z', '1'],
      ['10', '2'],
      ['2', '3'],
    ]),
    want: '{"z": "1", "10": "2", "2": "3"}',
  },
  { name: 'quotation mark and backslash', given: 'a"b\\c/', want: '"a\\"b\\\\c/"' },
  { name: 'short escapes', given: '\b\f\n\r\t', want: '"\\b\\f\\n\\r\\t"' },
  { name: 'control characters and DEL', given: '\u0000\u001f\u007f', want: '"\\u0000\\u001f\\u007f"' },
  { name: 'Latin and Chinese', given: 'é世', want: '"\\u00e9\\u4e16"' },
  { name: 'beyond the basic plane', given: '🚀', want: '"\\ud83d\\ude80"' },
  { name: 'a lone surrogate', given: '\ud800', want: '"\\ud800"' },
  {
    name: 'integers',
    given: [0, -7, 2 ** 53, 1e21, 10n ** 20n],
    want: '[0, -7, 9007199254740992, 1000000000000000000000, 100000000000000000000]',
  },
  { name: 'floats stay floats', given: [new Float(2), new Float(-0), 2.5, 0.1], want: '[2.0, -0.0, 2.5, 0.1]' },
  {
    name: 'large floats',
    given: [new Float(1e15), new Float(1e16), new Float(1.5e300), new Float(123456789012345680)],
    want: '[1000000000000000.0, 1e+16, 1.5e+300, 1.2345678901234568e+17]',
  },
  { name: 'small floats', given: [0.0001, 0.00001, 1.5e-7], want: '[0.0001, 1e-05, 1.5e-07]' },
  { name: 'what JSON does not have', given: [new Float(Number.NaN), new Float(-Infinity)], want: '[NaN, -Infinity]' },
]

for (const { name, given, want } of cases) {
  test(`writes ${name}`, () => assert.equal(writeJson(given), want))
}
