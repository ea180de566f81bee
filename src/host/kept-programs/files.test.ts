import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Haproxy } from '../namespace.ts'
import { filesReadBy, forgetReader, noteReader, sweepDirectories, writeDraft, writeFiles } from './files.ts'

const root = mkdtempSync(join(tmpdir(), 'firstboot-files-'))
after(() => rmSync(root, { recursive: true }))

function haproxy(directory: string, config: string): Haproxy {
  return { kind: 'haproxy', directory, arguments: [], files: { 'haproxy.conf': config } }
}

test('a draft leaves what a running program may read', () => {
  const directory = join(root, 'draft')
  writeFiles(haproxy(directory, 'old'))
  const draft = writeDraft(haproxy(directory, 'new'), 'haproxy.conf')
  assert.equal(readFileSync(draft, 'utf8'), 'new')
  assert.equal(readFileSync(join(directory, 'haproxy.conf'), 'utf8'), 'old')
})

test('what a program has read is known of that process alone, and until the files change', () => {
  const directory = join(root, 'read')
  const reader = { pid: 77, startTime: '1000' }
  const read = (startTime = '1000') => filesReadBy({ ...reader, startTime }, directory, ['haproxy.conf'])
  assert.equal(read(), undefined)
  writeFiles(haproxy(directory, 'content'))
  noteReader(directory, reader)
  assert.deepEqual(read(), { 'haproxy.conf': 'content' })
  assert.equal(read('1001'), undefined)
  forgetReader(directory)
  assert.equal(read(), undefined)
})

test('of the directories of programs those go that nobody uses, and nothing else', () => {
  const folder = join(root, 'sweep')
  for (const name of ['used', 'unused']) writeFiles(haproxy(join(folder, name), ''))
  mkdirSync(join(folder, 'of-somebody-else'))
  writeFileSync(join(folder, 'unused.conf'), '')
  sweepDirectories(folder, 'haproxy.conf', (directory) => directory === join(folder, 'used'))
  const left = ['used', 'unused', 'of-somebody-else', 'unused.conf'].filter((name) => existsSync(join(folder, name)))
  assert.deepEqual(left, ['used', 'of-somebody-else', 'unused.conf'])
})
