import assert from 'node:assert/strict'
import { lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { installationMark, openStateDirectory } from './state-directory.ts'

function directory(t: TestContext) {
  const path = mkdtempSync(join(tmpdir(), 'firstboot-state-'))
  t.after(() => rmSync(path, { recursive: true }))
  return openStateDirectory(path)
}

test('an installation has a mark of its own, which it keeps', async (t) => {
  const [one, two] = [await directory(t), await directory(t)]
  const marks = await Promise.all([one, one, two].map(installationMark))
  assert.match(marks[0] ?? '', /^firstboot:[0-9a-f-]{36}$/)
  assert.equal(marks[0], marks[1], 'two that start together have the same')
  assert.notEqual(marks[0], marks[2])
  assert.equal(await installationMark(one), marks[0])
  assert.equal(lstatSync(one.installation).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(one.path).sort(), ['installation', 'run'])
})

test('an id that cannot be used is told, and not replaced', async (t) => {
  const state = await directory(t)
  writeFileSync(state.installation, '')
  await assert.rejects(installationMark(state), /installation holds no UUID\. Write back/)
  assert.equal(lstatSync(state.installation).size, 0)
})
