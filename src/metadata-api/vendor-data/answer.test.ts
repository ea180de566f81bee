import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Float } from '../../documents/json.ts'
import { type Meaning, readAnswer } from './answer.ts'

const cases: readonly { name: string; status?: number; body: string | Uint8Array; want: Meaning }[] = [
  {
    name: 'an object, in its order',
    body: '{"2": 1, "1": 2.0}',
    want: {
      value: new Map<string, number | Float>([
        ['2', 1],
        ['1', new Float(2)],
      ]),
    },
  },
  { name: 'any JSON value', status: 299, body: ' null ', want: { value: null } },
  { name: 'nothing', status: 204, body: '', want: { value: {} } },
  { name: 'a redirect without a body', status: 304, body: '', want: { value: {} } },
  { name: 'bytes that are no UTF-8', body: Buffer.from([0x22, 0xff, 0x22]), want: { value: '\ufffd' } },
  { name: 'an error, whatever it says', status: 404, body: '{}', want: { error: 'it answered 404' } },
  {
    name: 'a page',
    body: '<html>',
    want: { error: 'it answered what is no JSON: expected a value at line 1, column 1' },
  },
  {
    name: 'a byte order mark, which Python refuses',
    body: '\ufeff{}',
    want: { error: 'it answered what is no JSON: expected a value at line 1, column 1' },
  },
  {
    name: 'a tower',
    body: '['.repeat(500_000),
    want: { error: 'it answered what is no JSON: nested too deep' },
  },
]

for (const { name, status = 200, body, want } of cases)
  test(`a target that answers ${name}`, () => {
    assert.deepEqual(readAnswer({ status, body: Buffer.from(body) }), want)
  })
