import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { referenceTables } from './reference-page.ts'

const page = new URL('../../../docs/inventory-file.md', import.meta.url)

/** Everything from the first section on is made of the schema; what stands before it is written by hand. */
test('the reference page has the fields the file can have, as the schema says them', () => {
  const text = readFileSync(page, 'utf8')
  const head = text.slice(0, text.indexOf('\n## projects\n') + 1)
  const wanted = head + referenceTables()
  if (process.env['UPDATE'] === '1') writeFileSync(page, wanted)
  else assert.equal(text, wanted, 'docs/inventory-file.md is out of date: run this test with UPDATE=1')
})
