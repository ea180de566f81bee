import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeJson } from './json.ts'
import { readJson } from './json-reader.ts'

const cases: readonly { readonly name: string; readonly given: string; readonly want: string }[] = [
  {
    name: 'members keep their order, integers among them',
    given: '{"b":1,"10":2,"2":3}',
    want: '{"b": 1, "10": 2, "2": 3}',
  },
  {
    name: 'the last of two equal names, at the first one’s place',
    given: '{"a":1,"b":2,"a":3}',
    want: '{"a": 3, "b": 2}',
  },
  { name: 'floats stay floats', given: '[1.0, 1e3, 2.50, -0.0, 2]', want: '[1.0, 1000.0, 2.5, -0.0, 2]' },
  {
    name: 'integers of any length',
    given: '[123456789012345678901234567890, -9007199254740993]',
    want: '[123456789012345678901234567890, -9007199254740993]',
  },
  { name: 'blanks everywhere', given: ' \n{ "a" :\t[ ] , "b" : { } }\r\n', want: '{"a": [], "b": {}}' },
  { name: 'escapes', given: '"\\u00e9\\ud83d\\ude80\\/\\n\u007f"', want: '"\\u00e9\\ud83d\\ude80/\\n\\u007f"' },
  { name: 'Python’s numbers', given: '[NaN, Infinity, -Infinity]', want: '[NaN, Infinity, -Infinity]' },
  { name: 'the name every object has', given: '{"__proto__": 1}', want: '{"__proto__": 1}' },
]

for (const { name, given, want } of cases) {
  test(`reads ${name}`, () => assert.equal(writeJson(readJson(given)), want))
}

const refused: readonly { readonly name: string; readonly given: string; readonly message: RegExp }[] = [
  { name: 'nothing', given: '', message: /a value at line 1, column 1/ },
  { name: 'a trailing comma', given: '{"a": 1,\n}', message: /a name in quotation marks at line 2, column 1/ },
  { name: 'more than one value', given: '{} {}', message: /the end at line 1, column 4/ },
  { name: 'an open list', given: '[1', message: /a comma or a closing bracket/ },
  { name: 'a newline in a string', given: '"a\nb"', message: /a value at line 1, column 1/ },
  { name: 'a leading zero', given: '012', message: /the end at line 1, column 2/ },
  { name: 'a comment', given: '{} // no', message: /the end/ },
  { name: 'single quotes', given: "{'a': 1}", message: /a name in quotation marks/ },
]

for (const { name, given, message } of refused) {
  test(`refuses ${name}`, () => assert.throws(() => readJson(given), { name: 'SyntaxError', message }))
}
