import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { assertLock, insert, type Lock, type OvsdbClient, TransactionFailed } from '../../src/ovsdb/ovsdb.ts'
import { eventually } from '../support/eventually.ts'
import { closeClients, NOTES_SCHEMA, openNotes, PERSON } from './notes.ts'
import { createDatabase, endServers, ovsdbServer, temporaryDirectory } from './ovsdb-server.ts'
import { quick } from './quick-clock.ts'

const directory = temporaryDirectory()
const server = ovsdbServer(directory, createDatabase(directory, NOTES_SCHEMA))
let [first, second]: OvsdbClient[] = []

before(async () => {
  await server.start()
  const clients = ['first', 'second'].map(() => openNotes(server.remote, { clock: quick, probeMilliseconds: 0 }))
  for (const client of clients) await client.synchronized()
  ;[first, second] = clients
})
after(async () => {
  await closeClients()
  await endServers()
})

async function held(lock: Lock, isHeld = true): Promise<void> {
  await eventually(`lock ${lock.name} is ${isHeld ? '' : 'not '}held`, () => lock.isHeld === isHeld)
}

describe('a lock', () => {
  it('is held by one client, then by the next in line', async () => {
    assert.ok(first && second)
    const told: string[] = []
    const ours = first.lock('one', { onChange: (isHeld) => told.push(`first ${isHeld}`) })
    await held(ours)
    const theirs = second.lock('one', { onChange: (isHeld) => told.push(`second ${isHeld}`) })
    await second.transact() // the answer to the lock came before this one's
    assert.equal(theirs.isHeld, false)
    await ours.release()
    await held(theirs)
    assert.deepEqual(told, ['first true', 'second true'])
    await theirs.release()
  })

  it('is known to be taken without anybody hearing of the question', async () => {
    assert.ok(first && second)
    const told: string[] = []
    assert.equal(await second.isLockTaken('asked'), false)
    const ours = first.lock('asked', { onChange: (isHeld) => told.push(`first ${isHeld}`) })
    await held(ours)
    assert.equal(await second.isLockTaken('asked'), true)
    const theirs = second.lock('asked', { onChange: (isHeld) => told.push(`second ${isHeld}`) })
    await assert.rejects(second.isLockTaken('asked'), RangeError)
    await theirs.release()
    await ours.release()
    assert.equal(await second.isLockTaken('asked'), false, 'nobody was left in line')
    assert.deepEqual(told, ['first true'])
  })

  it('guards a transaction, also when it was stolen', async () => {
    assert.ok(first && second)
    const ours = first.lock('two')
    await held(ours)
    await first.transact(assertLock('two'), insert(PERSON, { name: 'Ann' }))
    const theirs = second.lock('two', { steal: true })
    await held(theirs)
    await held(ours, false)
    await assert.rejects(first.transact(assertLock('two'), insert(PERSON, { name: 'Bob' })), TransactionFailed)
    await theirs.release()
    await held(ours)
    await ours.release()
  })

  it('is asked for again on the next connection', async () => {
    assert.ok(first)
    const told: boolean[] = []
    const lock = first.lock('three', { onChange: (isHeld) => told.push(isHeld) })
    await held(lock)
    await server.kill()
    await held(lock, false)
    await server.start()
    await held(lock)
    assert.deepEqual(told, [true, false, true])
  })

  it('has a name that the server takes, and is asked for once', () => {
    assert.throws(() => first?.lock('not a name'), RangeError)
    assert.throws(() => first?.lock('three'), /already asks/)
  })
})
