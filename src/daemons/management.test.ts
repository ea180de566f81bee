import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Serving } from '../http/server.ts'
import { silentLog } from '../observe/log.ts'
import { askManagement, BadQuestion, openManagement } from './management.ts'

const path = mkdtempSync(join(tmpdir(), 'firstboot-management-'))
const state = { path, management: join(path, 'management') }
let serving: Serving

before(async () => {
  writeFileSync(state.management, 'left by a predecessor')
  const routes = {
    'GET /four': async () => 4,
    'PUT /echo': async (asked: unknown) => asked,
    'GET /wrong': async () => {
      throw new BadQuestion('ask for four')
    },
    'GET /broken': async () => {
      throw new Error('out of order')
    },
  }
  serving = await openManagement(state, routes, silentLog)
})
after(async () => {
  await serving.close()
  rmSync(path, { recursive: true })
})

test('answers its owner, and nobody else may ask', async () => {
  assert.equal(await askManagement(state, 'GET /four'), 4)
  assert.deepEqual(await askManagement(state, 'PUT /echo', { a: 'ж' }), { a: 'ж' })
  assert.equal(statSync(state.management).mode & 0o777, 0o600)
})

const refusals = [
  ['GET /wrong', /^ask for four$/],
  ['GET /broken', /^out of order$/],
  ['GET /nothing', /^there is no GET \/nothing$/],
  ['PUT /four', /^there is no PUT \/four$/],
] as const
for (const [question, message] of refusals)
  test(`${question} is refused with the reason`, () =>
    assert.rejects(askManagement(state, question), (error: Error) => message.test(error.message)))

test('where nobody serves, what to do is said', () =>
  assert.rejects(askManagement({ path, management: join(path, 'nobody') }, 'GET /four'), /start firstboot up/))
