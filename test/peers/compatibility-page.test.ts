import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { printDeviations, sectionOf, withSection } from './compatibility-page.ts'
import { DEVIATIONS } from './deviations.ts'

const page = new URL('../../docs/compatibility.md', import.meta.url)

test('docs/compatibility.md names every deviation that a run accepts (UPDATE=1 writes it)', () => {
  const text = readFileSync(page, 'utf8')
  const wanted = printDeviations(DEVIATIONS)
  if (process.env['UPDATE'] === '1') writeFileSync(page, withSection(text, 'deviations', wanted))
  else assert.equal(sectionOf(text, 'deviations'), wanted)
})

test('docs/compatibility.md has the result of a run without an unexplained difference', () => {
  assert.match(sectionOf(readFileSync(page, 'utf8'), 'last result'), /^\| Unexplained differences \| 0 \|$/m)
})
