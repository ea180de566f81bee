import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { PROGRAMS } from '../bootstrap/debian-packages.js'
import { rows } from '../src/cli/commands.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const pages = globSync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: ROOT })

describe('the documentation', () => {
  it('links only to what exists', () => {
    const links = pages.flatMap((page) =>
      Array.from(read(page).matchAll(/\]\(([^)#]+)[^)]*\)/g), ([, target = '']) => ({ page, target })),
    )
    const dead = links.filter(
      ({ page, target }) => !/^https?:/.test(target) && !existsSync(join(ROOT, dirname(page), target)),
    )
    assert.deepEqual(dead, [])
  })

  it('gives a reason for every dependency', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
    const named = read('docs/dependencies.md')
    const all = [...Object.keys({ ...dependencies, ...devDependencies }), ...PROGRAMS.map((row) => row.package)]
    assert.deepEqual(
      all.filter((name) => !named.includes(name)),
      [],
    )
  })

  it('has a changelog in the form of Keep a Changelog', () => {
    const headings = Array.from(read('CHANGELOG.md').matchAll(/^#{2,} .*$/gm), ([heading]) => heading)
    assert.equal(headings[0], '## [Unreleased]')
    const form =
      /^## \[(Unreleased|\d+\.\d+\.\d+)\]( - \d{4}-\d\d-\d\d)?$|^### (Added|Changed|Deprecated|Removed|Fixed|Security)$/
    assert.deepEqual(
      headings.filter((heading) => !form.test(heading)),
      [],
    )
  })

  it('names every command in the README', () => {
    const readme = read('README.md')
    assert.deepEqual(
      rows.filter(({ name }) => !new RegExp(`\\b${name}\\b`).test(readme)).map(({ name }) => name),
      [],
    )
  })

  for (const row of rows)
    it(`firstboot ${row.name} --help has a description and examples`, async () => {
      const command = await row.load()
      assert.ok(command.description.length > 40)
      assert.ok(command.examples.length > 0)
    })
})
