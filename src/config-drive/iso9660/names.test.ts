import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { allowedNames, JOLIET_NAMES, PRIMARY_NAMES } from './names.ts'

const LONG = 'a name that is far too long for the primary tree.json'

const CASES = [
  {
    name: 'of the primary tree',
    rules: PRIMARY_NAMES,
    names: [
      ['meta_data.json', 'meta_data.json'],
      ['2012-08-10', '2012_08_10'],
      ['.hidden.tar.gz', '.hidden.tar.gz'],
      ['ünï', '_n_'],
      [LONG, 'a_name_that_is_far_too_lo.json'],
      [`${LONG.slice(0, -5)} 2.json`, 'a_name_that_is_far_too__0.json'],
    ],
  },
  {
    name: 'that become the same, of which one was allowed',
    rules: PRIMARY_NAMES,
    names: [
      ['a-b', 'a_b_0'],
      ['a b', 'a_b_1'],
      ['a_b', 'a_b'],
      ['a_b_2', 'a_b_2'],
      ['a+b', 'a_b_3'],
    ],
  },
  {
    name: 'of Joliet',
    rules: JOLIET_NAMES,
    names: [
      ['ünï-😀.txt', 'ünï-😀.txt'],
      ['a:b;c?d*e\\f', 'a_b_c_d_e_f'],
      ['x'.repeat(64), 'x'.repeat(64)],
      ['x'.repeat(65), `${'x'.repeat(62)}~0`],
      [`${'y'.repeat(80)}.json`, `${'y'.repeat(59)}.json`],
      [`${'z'.repeat(63)}😀`, 'z'.repeat(63)],
    ],
  },
] as const

describe('names', () => {
  for (const { name, rules, names } of CASES) {
    it(name, () =>
      assert.deepEqual(
        allowedNames(
          names.map(([given]) => given),
          rules,
        ),
        names.map(([, want]) => want),
      ),
    )
  }

  it('stay apart by the ten thousand', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `${'a long name '.repeat(8)}${index}.txt`)
    for (const rules of [PRIMARY_NAMES, JOLIET_NAMES]) {
      const allowed = allowedNames(names, rules)
      assert.equal(new Set(allowed).size, names.length)
      assert.ok(allowed.every(({ length }) => length <= rules.room))
    }
  })
})
