import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { RecordSet } from '../../inventory/records/records.ts'
import { openSqliteStore } from '../../inventory/sql/sqlite.ts'
import { applyFile } from '../apply-file.ts'
import type { Terminal } from '../terminal.ts'
import { hints, verdict } from './report.ts'
import { verifyGuest } from './verify.ts'

const terminal: Terminal = {
  print: () => undefined,
  write: () => undefined,
  say: () => undefined,
  paint: (_, text) => text,
}

describe('the summary of a lab', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-report-'))
  let records: RecordSet
  before(async () => {
    const store = await openSqliteStore(join(directory, 'inventory.sqlite'))
    await applyFile(store, fileURLToPath(new URL('../../../test/e2e/lab.yaml', import.meta.url)))
    records = (await store.load()).records
    await store.close()
  })
  after(() => rmSync(directory, { recursive: true, force: true }))

  const named = (name: string) =>
    [...records.server.values()].find((server) => server.name === name) ?? assert.fail(`there is no ${name}`)
  const summary = (asked: readonly string[], left: Record<string, string>, lastLine: string) => {
    const server = named('given')
    const read = (file: string) => (left[file] === undefined ? undefined : Buffer.from(left[file]))
    const findings = verifyGuest(server, records, read, new Set(asked), 'novalocal')
    return verdict([{ server, findings, lastLine }], records, terminal).join('\n')
  }

  it('says of a guest that has not asked that it has not, and what it said last', () => {
    const said = summary([], {}, 'waits for metadata (3s)')
    assert.match(said, /given +fd00:2::\S+( +has not asked){5}$/m)
    assert.match(said, /^ {2}given: the last it said: waits for metadata \(3s\)$/m)
    assert.doesNotMatch(said, /WRONG|right/)
    assert.match(said, /Not every guest has its metadata\./)
    assert.match(summary([], {}, ''), /the last it said: nothing$/m)
  })

  it('tells apart what was told wrongly, what was told rightly and what was not asked', () => {
    const paths = ['/openstack/2018-08-27/meta_data.json', '/openstack/2018-08-27/user_data']
    const said = summary(paths, { 'meta_data.json': '{"uuid": "another"}' }, 'failed: no answer')
    assert.match(said, /given +\S+ +WRONG +has not asked +has not asked +has not asked +right$/m)
    assert.match(said, new RegExp(`^ {2}given: identity: another instead of ${named('given').id}$`, 'm'))
  })

  for (const { name, says } of [
    { name: 'given', says: /exec --lab given -- curl -s 'http:\/\/\[fe80::a9fe:a9fe%25eth0\]\/openstack/ },
    { name: 'mixed', says: /exec --lab mixed -- curl -s http:\/\/169\.254\.169\.254\/openstack/ },
  ])
    it(`tells to ask as ${name} where it can`, () =>
      assert.match(hints([named(name)], records, terminal).join('\n'), says))
})
