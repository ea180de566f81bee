import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { VendorData } from '../context.ts'
import { writeJson } from '../json.ts'
import { vendorData, vendorData2 } from './vendor-data.ts'

const cases: readonly {
  readonly name: string
  readonly given: Partial<VendorData>
  readonly one: string | undefined
  readonly two: string
}[] = [
  { name: 'no file', given: {}, one: '{}', two: '{"static": {}}' },
  { name: 'any JSON value', given: { static: [1, null] }, one: '[1, null]', two: '{"static": [1, null]}' },
  { name: 'no provider', given: { providers: [], static: { a: 1 } }, one: undefined, two: '{}' },
  { name: 'answers of targets that are not asked', given: { dynamic: [['a', 1]] }, one: '{}', two: '{"static": {}}' },
  {
    name: 'the first to give a name keeps it',
    given: {
      providers: ['StaticJSON', 'DynamicJSON'],
      dynamic: [
        ['b', 1],
        ['a', null],
        ['b', 2],
        ['static', 3],
      ],
    },
    one: '{}',
    two: '{"static": {}, "b": 1, "a": null}',
  },
  {
    name: 'providers count in their order, and the operator’s document in the end',
    given: {
      providers: ['DynamicJSON', 'StaticJSON'],
      static: { a: 1 },
      dynamic: [
        ['static', 3],
        ['1', 'x'],
      ],
    },
    one: '{"a": 1}',
    two: '{"static": {"a": 1}, "1": "x"}',
  },
]

for (const { name, given, one, two } of cases) {
  test(name, () => {
    const vendor: VendorData = { providers: ['StaticJSON'], static: undefined, dynamic: [], ...given }
    const first = vendorData(vendor)
    assert.equal(first === undefined ? undefined : writeJson(first), one)
    assert.equal(writeJson(vendorData2(vendor)), two)
  })
}
