import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { watchNames } from './watch.ts'

test('a name that comes is told', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-watch-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const keepAlive = setTimeout(() => reject(new Error('nothing was told')), 10_000)
  const end = watchNames(directory, resolve, (why) => reject(new Error(why)))
  t.after(end)
  writeFileSync(join(directory, 'red'), '')
  assert.equal(await promise, 'red')
  clearTimeout(keepAlive)
})

test('a directory that cannot be watched is a problem to tell, not a reason to stop', () => {
  const problems: string[] = []
  const end = watchNames('/no-such/directory', assert.fail, (why) => problems.push(why))
  end()
  assert.match(problems.join(), /^\/no-such\/directory cannot be watched: .*ENOENT/)
})
