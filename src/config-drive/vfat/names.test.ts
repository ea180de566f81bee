import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fatNames } from './names.ts'

const CASES = [
  {
    name: 'short ones are their own alias, with their case in flags',
    of: ['latest', 'ec2.TXT', 'README'],
    want: ['LATEST     ', 'EC2     TXT', 'README     '],
  },
  { name: 'mixed case keeps the alias without a number', of: ['ReadMe.txt'], want: ['README  TXT long'] },
  {
    name: 'long ones are numbered',
    of: ['network_data.json', 'network_info.json'],
    want: ['NETWOR~1JSO long', 'NETWOR~2JSO long'],
  },
  {
    name: 'a name that looks like an alias has it',
    of: ['openstack', 'OPENST~1'],
    want: ['OPENST~2    long', 'OPENST~1   '],
  },
  { name: 'dots and spaces go', of: ['.ssh', ' a b.c.d'], want: ['SSH~1       long', 'ABC~1   D   long'] },
  { name: 'what ASCII has not is an underscore', of: ['ünï', 'a+b.x'], want: ['_N_~1       long', 'A_B~1   X   long'] },
  {
    name: 'look-alikes of ASCII letters are none',
    of: ['\u017f', '\u212a'],
    want: ['S~1         long', '_~1         long'],
  },
] as const

describe('names on FAT', () => {
  for (const { name, of, want } of CASES) {
    it(name, () =>
      assert.deepEqual(
        fatNames(of, '').map(({ alias, long }) => `${alias}${long === undefined ? '' : ' long'}`),
        want,
      ),
    )
  }

  it('stay apart by the ten thousand', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `content ${index % 3} of ${index}.txt`)
    const aliases = fatNames(names, '').map(({ alias }) => alias)
    assert.equal(new Set(aliases).size, names.length)
    assert.ok(aliases.every((alias) => /^[A-Z0-9_~ ]{11}$/.test(alias)))
  })
})
