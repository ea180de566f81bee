import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { healthy } from '../../../../test/support/healthy-host.ts'
import { examineHost } from '../../../doctor/examine.ts'
import { openOvsdb } from '../../../ovsdb/ovsdb.ts'
import { reached } from './connect.ts'

const NOWHERE = [1, 2].map((number) => `unix:${join(tmpdir(), `firstboot-nobody-${process.pid}-${number}`)}`)

/** Why nothing can be read there. */
async function problemOf(remotes: string): Promise<string> {
  const { client, problem } = await reached(openOvsdb({ remotes, database: 'OVN_Southbound', tables: [] }))
  await client.close()
  return problem ?? assert.fail('it can be read')
}

describe('a database that cannot be read', () => {
  const [first = '', second = ''] = NOWHERE

  it('is named by whoever tells of it, once', async () => {
    const problem = await problemOf(first)
    assert.equal(problem, 'connect ENOENT')
    const southbound = { remote: first, problem, lacks: { unknown: '' } }
    const examined = examineHost({ ...healthy, ovn: { ...(healthy.ovn ?? assert.fail()), southbound } })
    const { observed = '' } = examined.find(({ check }) => check === 'ovn/southbound') ?? {}
    assert.equal(observed, `${first}: connect ENOENT`)
  })

  it('has a reason for each of its servers', async () => {
    const problem = await problemOf(`${first},${second}`)
    for (const remote of NOWHERE) assert.equal(problem.split(`connect ENOENT (${remote})`).length, 2, problem)
  })

  it('may be one that nobody answers for', async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const port = typeof address === 'object' ? address?.port : undefined
    assert.match(await problemOf(`tcp:127.0.0.1:${port}`), /^no answer within \d+ ms$/)
    silent.close()
  })
})
