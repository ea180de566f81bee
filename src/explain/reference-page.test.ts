import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { faultCatalogue } from './reference-page.ts'

const page = new URL('../../docs/faults/README.md', import.meta.url)
const HEADING = '\n## The faults\n'
const NEXT = '\n## Injected\n'

/** The table of faults is made of the rows; what stands before it is written by hand, what follows is measured. */
test('docs/faults/README.md has the faults there are', () => {
  const text = readFileSync(page, 'utf8')
  const [before = '', rest = ''] = text.split(HEADING)
  const measured = rest.includes(NEXT) ? rest.slice(rest.indexOf(NEXT)) : ''
  const wanted = `${before}\n${faultCatalogue()}${measured}`
  if (process.env['UPDATE'] === '1') writeFileSync(page, wanted)
  else assert.equal(text, wanted, 'docs/faults/README.md is out of date: run this test with UPDATE=1')
})
