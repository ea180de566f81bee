import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { canBecomeAnotherUser, isSystemUser } from './user.ts'

const root = mkdtempSync(join(tmpdir(), 'firstboot-user-'))
after(() => rmSync(root, { recursive: true }))

test('a program stays root where another user could not reach its files', () => {
  const directory = join(root, 'closed', 'network')
  mkdirSync(directory, { recursive: true })
  chmodSync(join(root, 'closed'), 0o700)
  assert.ok(!canBecomeAnotherUser(directory))
})

test('the users of this machine are known by their names', () => {
  assert.ok(isSystemUser('root'))
  assert.ok(!isSystemUser('roo'))
})
