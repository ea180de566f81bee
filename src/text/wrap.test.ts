import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wrap } from './wrap.ts'

const cases: { name: string; given: string; want: string[] }[] = [
  { name: 'what fits stays', given: 'a bc', want: ['a bc'] },
  { name: 'what does not is broken at a blank', given: 'aaa bbb ccc', want: ['aaa bbb', 'ccc'] },
  { name: 'a long word has its own line', given: 'a https://example.org b', want: ['a', 'https://example.org', 'b'] },
]
for (const { name, given, want } of cases) test(name, () => assert.deepEqual(wrap(given, 7), want))
