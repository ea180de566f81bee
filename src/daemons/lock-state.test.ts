import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockState } from './lock-state.ts'
import { openStateDirectory } from './state-directory.ts'

test('a second one on a state directory is told whom to stop, where that is known', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'firstboot-lock-state-'))
  t.after(() => rmSync(path, { recursive: true }))
  const state = await openStateDirectory(path)
  t.after(lockState(state, 'firstboot up'))
  const second = () => lockState(state, 'firstboot up')
  assert.throws(second, {
    message: `process ${process.pid} already runs on ${path}. Stop it (kill ${process.pid}) or give firstboot up another --state-dir.`,
  })
  truncateSync(state.lock)
  assert.throws(second, {
    message: `a process that is just starting already runs on ${path}. Stop it or give firstboot up another --state-dir.`,
  })
})
