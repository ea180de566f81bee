import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { checkTable } from './reference-page.ts'

const page = new URL('../../docs/doctor.md', import.meta.url)

/** Everything from the table on is made of the rows; what stands before it is written by hand. */
test('docs/doctor.md has the checks there are', () => {
  const text = readFileSync(page, 'utf8')
  const start = text.indexOf('\n## The checks\n')
  const wanted = (start === -1 ? text : text.slice(0, start + 1)) + checkTable()
  if (process.env['UPDATE'] === '1') writeFileSync(page, wanted)
  else assert.equal(text, wanted, 'docs/doctor.md is out of date: run this test with UPDATE=1')
})
