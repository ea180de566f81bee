import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'

const LINT = fileURLToPath(new URL('../src/lint/', import.meta.url))

it('docs/lint.md lists every check, and none that there is not', () => {
  const sources = globSync('**/*.ts', { cwd: LINT }).map((file) => readFileSync(`${LINT}${file}`, 'utf8'))
  const named = sources.flatMap((text) =>
    Array.from(text.matchAll(/\bname: '([a-z-]+\/[a-z0-9-]+)'/g), ([, name]) => name),
  )
  const hostname = sources.flatMap((text) =>
    Array.from(text.matchAll(/\bcheck\('([a-z-]+)'/g), ([, name]) => `hostname/${name}`),
  )
  const page = readFileSync(new URL('../docs/lint.md', import.meta.url), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  const listed = rows.flatMap((line) =>
    Array.from((line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g), ([, name]) => name),
  )
  assert.deepEqual(listed.toSorted(), [...new Set([...named, ...hostname])].toSorted())
})
