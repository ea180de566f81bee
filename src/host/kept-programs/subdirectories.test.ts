import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { subdirectoriesReader } from './subdirectories.ts'

const directory = mkdtempSync(join(tmpdir(), 'subdirectories-test-'))
after(() => rmSync(directory, { recursive: true }))

/** As if nothing had happened in it for a while. */
function rest(path: string, minutesAgo: number): void {
  const then = new Date(Date.now() - minutesAgo * 60_000)
  utimesSync(path, then, then)
}

it('tells the directories that are there now', () => {
  const path = join(directory, 'dhcp')
  const read = subdirectoriesReader(path)
  const seen = () => [...read()].sort()
  assert.deepEqual(seen(), [])
  mkdirSync(join(path, 'net-1'), { recursive: true })
  writeFileSync(join(path, 'a-file'), '')
  assert.deepEqual(seen(), ['net-1'])
  rest(path, 2)
  assert.deepEqual(seen(), ['net-1'])
  mkdirSync(join(path, 'net-2'))
  assert.deepEqual(seen(), ['net-1', 'net-2'])
  rmSync(join(path, 'net-1'), { recursive: true })
  assert.deepEqual(seen(), ['net-2'])
  rmSync(path, { recursive: true })
  assert.deepEqual(seen(), [])
})

it('does not read again what has not changed', () => {
  const path = join(directory, 'quiet')
  mkdirSync(join(path, 'net-1'), { recursive: true })
  rest(path, 2)
  const read = subdirectoriesReader(path)
  assert.equal(read(), read())
})
