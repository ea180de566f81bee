import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTargets, shownUrl } from './targets.ts'

test('rows of targets are read as Nova reads them', () => {
  const rows = [
    'a@http://one/',
    'nameless',
    'b@http://user:p@ss@two/',
    'a@http://user:pw@three/?k=v',
    '@http://four/',
    '',
  ]
  assert.deepEqual(parseTargets(rows), {
    targets: [
      { name: 'a', url: 'http://one/' },
      { name: 'b', url: 'http://user:p@ss@two/' },
      { name: '', url: 'http://four/' },
    ],
    skipped: [
      { row: 'nameless', reason: 'it has no name; write name@url' },
      { row: 'a@http://three/?...', reason: 'an earlier target has its name' },
      { row: '', reason: 'it has no name; write name@url' },
    ],
  })
})

const urls: readonly { readonly given: string; readonly want: string }[] = [
  { given: 'http://host/path', want: 'http://host/path' },
  { given: 'https://user:secret@host:8443/a/b?token=secret', want: 'https://host:8443/a/b?...' },
  { given: 'http://secret@host', want: 'http://host/' },
  { given: 'no url', want: 'no url' },
]

for (const { given, want } of urls) test(`${given} is shown as ${want}`, () => assert.equal(shownUrl(given), want))
