import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { hasProgram } from '../bootstrap/programs.js'
import { buildDebianPackage } from '../packaging/debian/build.js'
import { isPacked, productionModules } from '../packaging/debian/modules.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOR_DEVELOPERS = /(^|[/.])(tests?|bench|benchmarks?|fixtures|specs?)[/.]|\.(ts|map)$/

/** Folders of Debian's that may get files of ours. */
const PLACES = [
  /^etc\/firstboot\//,
  /^lib\/systemd\/system\/firstboot-[^/]+\.(service|socket)$/,
  /^usr\/bin\/firstboot$/,
  /^usr\/lib\/firstboot\/(bin|dist|examples|node_modules)\//,
  /^usr\/lib\/firstboot\/(node|package\.json)$/,
  /^usr\/lib\/(sysusers|tmpfiles)\.d\/firstboot\.conf$/,
  /^usr\/share\/doc\/firstboot\//,
  /^usr\/share\/firstboot\/grafana\//,
  /^usr\/share\/(lintian\/overrides\/firstboot|man\/man1\/firstboot\.1\.gz)$/,
]

describe('what of an npm package is packed', () => {
  const lock = {
    packages: { '': {}, 'node_modules/a': { version: '1' }, 'node_modules/b': { version: '2', dev: true } },
  }

  it('is packages that run, not those for development', () =>
    assert.deepEqual(productionModules(lock, lock), ['node_modules/a']))

  it('is refused when another version is installed', () =>
    assert.throws(() => productionModules(lock, { packages: { 'node_modules/a': { version: '0' } } }), /npm ci/))

  it('leaves out a package for another platform', () => {
    const other = { packages: { 'node_modules/c': { version: '1', optional: true } } }
    assert.deepEqual(productionModules(other, { packages: {} }), [])
  })

  for (const [path, expected] of [
    ['', true],
    ['index.js', true],
    ['lib/latest.js', true],
    ['LICENSE', true],
    ['test', false],
    ['lib/tests/x.js', false],
    ['bench.js', false],
    ['index.d.ts', false],
    ['README.md', false],
  ] as const)
    it(`${path || 'the folder itself'}: ${expected ? 'packed' : 'not packed'}`, () =>
      assert.equal(isPacked('node_modules/a', path), expected))
})

describe('npm run package:deb', () => {
  const cases: readonly { name: string; words: readonly string[]; env?: NodeJS.ProcessEnv; says: RegExp }[] = [
    {
      name: 'a compression that is none',
      words: ['--compression', 'zip'],
      says: /^--compression is xz, gzip or none, not "zip"\.$/m,
    },
    { name: 'an option that it does not have', words: ['--release', 'zed'], says: /^Unknown option '--release'/ },
    { name: 'an option without its value', words: ['--output'], says: /^Option '--output <value>' argument missing/ },
    {
      name: 'a file in the folder’s place',
      words: ['--output', join(ROOT, 'package.json')],
      says: /is the folder for the package/,
    },
    {
      name: 'a time that is none',
      words: [],
      env: { SOURCE_DATE_EPOCH: 'now' },
      says: /^SOURCE_DATE_EPOCH is a number .*, not "now"/,
    },
  ]
  for (const { name, words, env, says } of cases)
    it(`refuses ${name}, in a sentence`, () => {
      const options = { encoding: 'utf8', env: { ...process.env, ...env } } as const
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [join(ROOT, 'packaging/deb.js'), ...words],
        options,
      )
      assert.deepEqual([status, stdout], [2, ''], stderr)
      assert.match(stderr, says)
      assert.match(stderr, /^Usage: npm run package:deb/m)
      assert.doesNotMatch(stderr, /\n\s+at /)
    })
})

describe('the Debian package', { skip: !hasProgram('dpkg-deb') && 'this is no Debian' }, () => {
  const scratch = mkdtempSync(join(tmpdir(), 'firstboot-packaging-'))
  const build = (output: string) =>
    buildDebianPackage(ROOT, join(scratch, output), new Date('2026-01-02T03:04:06Z'), 'none')
  let deb: string

  before(() => {
    deb = build('first')
  })
  after(() => rmSync(scratch, { recursive: true, force: true }))

  it('has only what is needed, and where Debian wants it', () => {
    const lines = execFileSync('dpkg-deb', ['--contents', deb], { encoding: 'utf8' }).trim().split('\n')
    const entries = lines.map((line) => line.split(/\s+/))
    assert.deepEqual(new Set(entries.map(([, owner]) => owner)), new Set(['root/root']))
    const files = entries
      .filter(([mode]) => !mode?.startsWith('d'))
      .map((entry) => entry[5]?.replace(/^\.\//, '') ?? '')
    assert.deepEqual(
      files.filter((file) => !PLACES.some((place) => place.test(file))),
      [],
    )
    assert.deepEqual(
      files.filter((file) => FOR_DEVELOPERS.test(file)),
      [],
    )
  })

  it('has the same bytes when it is built again', () => {
    const digest = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')
    assert.equal(digest(build('second')), digest(deb))
  })
})
