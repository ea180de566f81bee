import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileOptions } from './config-files.ts'
import { parseIni } from './ini.ts'
import { inFiles, integer, list, type Options, text, texts, truth } from './option.ts'
import { readOptions } from './read.ts'

interface Reading {
  readonly name: string
  readonly files: readonly string[]
  /** Options that differ from their defaults; `grp.x` is in a group. */
  readonly reads?: Readonly<Record<string, unknown>>
  readonly refusedOptions?: readonly string[]
  readonly refusedLine?: number
}

const golden = new URL('../../test/golden/oslo-config/readings.json', import.meta.url)
const readings = JSON.parse(readFileSync(golden, 'utf8')) as readonly Reading[]

/** What the library was told of, with the same defaults. */
const options = {
  ...fileOptions,
  a: inFiles(text('T', '', ''), ['DEFAULT.a']),
  b: inFiles(text('T', '', ''), ['DEFAULT.b']),
  state_path: inFiles(text('T', '/var/lib/x', ''), ['DEFAULT.state_path']),
  l: inFiles(list('T', [], ''), ['DEFAULT.l']),
  m: inFiles(texts('T', [], ''), ['DEFAULT.m']),
  t: inFiles(truth(true, ''), ['DEFAULT.t']),
  i: inFiles(integer('N', 5, '', { min: 0, max: 100 }), ['DEFAULT.i']),
  new: inFiles(text('T', '', ''), ['DEFAULT.new', 'DEFAULT.old']),
  none: inFiles(text('T', '', ''), ['DEFAULT.none']),
  'grp.x': inFiles(text('T', '', ''), ['grp.x']),
  'grp.a': inFiles(text('T', '', ''), ['grp.a']),
  'AGENT.x': inFiles(text('T', '', ''), ['AGENT.x']),
} satisfies Options

/** Where we differ, and what we make of it. An undefined one is refused. */
const deviations: Readonly<
  Record<string, { readonly why: string; readonly reads: Record<string, unknown> | undefined }>
> = {
  'int empty': { why: 'an empty number is a mistake, not the absence of one', reads: undefined },
  'int plus': { why: 'a number is digits', reads: undefined },
  'int under': { why: 'a number is digits', reads: undefined },
  q: { why: 'no option of ours is a list with quotes', reads: {} },
  'unknown file opt': { why: 'options we do not know can be referred to', reads: { a: '1' } },
  'subst of list': { why: 'the text as written, not as Python prints it', reads: { a: 'p,q', l: ['p', 'q'] } },
  'bool subst': { why: 'the text, not as Python prints it', reads: { a: 'true' } },
}

const directory = mkdtempSync(join(tmpdir(), 'firstboot-ini-'))
after(() => rmSync(directory, { recursive: true }))

/** What the files say of these options. */
function readAs(known: Options, files: readonly string[]): Record<string, unknown> {
  const args = files.flatMap((content, i) => {
    const path = join(directory, `${i}.conf`)
    writeFileSync(path, content)
    return ['--config-file', path]
  })
  const { values, origins } = readOptions(known, args, {})
  return Object.fromEntries(
    Object.entries(values).filter(([name]) => name !== 'state_path' && /\.conf:\d+$/.test(origins[name] ?? '')),
  )
}

describe('a configuration file reads as oslo.config reads it', () => {
  for (const { name, files, reads, refusedOptions = [], refusedLine } of readings) {
    const deviation = deviations[name]
    it(deviation === undefined ? name : `${name}, but ${deviation.why}`, () => {
      if (refusedLine !== undefined) {
        assert.throws(() => parseIni(files[0] ?? '', 'F'), new RegExp(`^UsageError: F:${refusedLine}: `))
        return
      }
      const wanted = deviation === undefined ? reads : deviation.reads
      if (wanted === undefined) {
        assert.throws(() => readAs(options, files), /0\.conf:\d+: /)
        return
      }
      // The library finds out when an option is asked for; here nobody asks for the others when one is wrong.
      const refused = deviation === undefined ? refusedOptions : []
      for (const option of refused) assert.throws(() => readAs(options, files), /0\.conf:\d+: \[/, option)
      const sound = Object.fromEntries(Object.entries(options).filter(([option]) => !refused.includes(option)))
      assert.deepEqual(readAs({ ...sound, ...fileOptions }, files), wanted)
    })
  }
})
