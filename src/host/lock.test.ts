import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { acquireLock, LockTaken } from './lock.ts'

const directory = mkdtempSync(join(tmpdir(), 'firstboot-lock-'))
after(() => rmSync(directory, { recursive: true }))

test('a second taker learns the pid of the first, and gets the lock when that gives it back', () => {
  const path = join(directory, 'first')
  const release = acquireLock(path)
  assert.equal(readFileSync(path, 'utf8'), `${process.pid}\n`)
  assert.throws(
    () => acquireLock(path),
    (error) => error instanceof LockTaken && error.pid === process.pid,
  )
  release()
  acquireLock(path)()
})

test('kill -9 of its holder frees it', async () => {
  const path = join(directory, 'killed')
  const program = `import('${new URL('lock.ts', import.meta.url)}').then(({ acquireLock }) => {
    acquireLock(${JSON.stringify(path)}); console.log('locked'); setInterval(() => {}, 1000) })`
  const holder = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  assert.throws(() => acquireLock(path), { message: `${path} is locked by process ${holder.pid}` })
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  acquireLock(path)()
  assert.equal(readFileSync(path, 'utf8'), `${process.pid}\n`)
})

test('a place that cannot be written to is named', () => {
  assert.throws(() => acquireLock(join(directory, 'no-such', 'lock')), /taking the lock .*no-such\/lock: .*ENOENT/)
})
