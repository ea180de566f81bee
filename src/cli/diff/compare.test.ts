import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compareDocuments } from './compare.ts'
import { differenceLines } from './report.ts'

type Tree = Readonly<Record<string, string | Uint8Array>>

function lines(before: Tree, after: Tree): readonly string[] {
  const documents = (tree: Tree) => new Map(Object.entries(tree).map(([path, body]) => [path, Buffer.from(body)]))
  return differenceLines(compareDocuments(documents(before), documents(after)))
}

describe('two trees', () => {
  const cases: readonly {
    readonly name: string
    readonly given: readonly [Tree, Tree]
    readonly want: readonly string[]
  }[] = [
    { name: 'equal', given: [{ a: 'x' }, { a: 'x' }], want: [] },
    { name: 'a document on one side', given: [{ a: 'x' }, { b: 'y' }], want: ['- a: "x"', '+ b: "y"'] },
    { name: 'an empty document is one', given: [{}, { user_data: '' }], want: ['+ user_data: ""'] },
    {
      name: 'the order of members and blanks do not count',
      given: [{ 'a.json': '{"a": 1, "b": [2]}' }, { 'a.json': '{"b":[2],"a":1}' }],
      want: [],
    },
    {
      name: 'members are named by their way',
      given: [{ 'a.json': '{"l": [{"m": 1}], "k y": {"z": null}}' }, { 'a.json': '{"l": [{"m": 2}, 3], "k y": {}}' }],
      want: ['~ a.json l[0].m: 1 -> 2', '- a.json ["k y"].z: null', '+ a.json l[1]: 3', '+ a.json ["k y"]: {}'],
    },
    {
      name: 'numbers beyond 2^53 are told apart, and 2 from 2.0',
      given: [{ 'a.json': '[9007199254740993, 2]' }, { 'a.json': '[9007199254740992, 2.0]' }],
      want: ['~ a.json [0]: 9007199254740993 -> 9007199254740992', '~ a.json [1]: 2 -> 2.0'],
    },
    {
      name: 'the random seed is new each time',
      given: [{ 'meta_data.json': '{"random_seed": "a"}' }, { 'meta_data.json': '{"random_seed": "b"}' }],
      want: [],
    },
    {
      name: 'JSON that is none is text',
      given: [{ 'a.json': '{' }, { 'a.json': '{}' }],
      want: ['~ a.json: "{" -> {}'],
    },
    {
      name: 'of long texts the first line that differs',
      given: [{ user_data: 'a\nb\nc' }, { user_data: 'a\nB\nc' }],
      want: ['~ user_data: from line 2: "b" -> "B"'],
    },
    {
      name: 'a line more',
      given: [{ user_data: 'a' }, { user_data: 'a\n' }],
      want: ['~ user_data: from line 2: nothing -> ""'],
    },
    { name: 'a password is covered', given: [{ password: 'x' }, { password: '' }], want: ['~ password: *** -> ""'] },
  ]
  for (const { name, given, want } of cases) it(name, () => assert.deepEqual(lines(...given), want))

  it('bytes are told by their digest', () => {
    const [line = ''] = lines({ user_data: Uint8Array.of(0xff) }, { user_data: Uint8Array.of(0xfe) })
    assert.match(line, /^~ user_data: "1 bytes, sha256 [0-9a-f]{64}" -> "1 bytes, sha256 /)
  })
})
