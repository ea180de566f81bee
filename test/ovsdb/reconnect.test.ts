import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { after, before, beforeEach, describe, it } from 'node:test'
import { insert, type OvsdbClient, remove, UnknownOutcome, update } from '../../src/ovsdb/ovsdb.ts'
import { eventually } from '../support/eventually.ts'
import { closeClients, NOTE, NOTES_SCHEMA, openNotes, PERSON, plain } from './notes.ts'
import { createDatabase, endServers, type OvsdbServer, ovsdbServer, temporaryDirectory } from './ovsdb-server.ts'
import { quick } from './quick-clock.ts'
import { type Message, openRelay, type Relay } from './relay.ts'

const isReply = (message: Message) => 'result' in message
/** What the server answered to monitor_cond_since: whether it still knew where we were. */
function resumed(messages: readonly Message[]): boolean | undefined {
  const request = messages.findLast(
    ({ method, params }) => method === 'monitor_cond_since' && (params as string[])[0] === 'Notes',
  )
  const reply = messages.findLast((message) => isReply(message) && message['id'] === request?.['id'])
  return (reply?.['result'] as readonly boolean[] | undefined)?.[0]
}

after(async () => {
  await closeClients()
  await endServers()
})

describe('a lost connection', () => {
  let server: OvsdbServer
  let relay: Relay
  let client: OvsdbClient
  let writer: OvsdbClient
  const heard: string[] = []

  before(async () => {
    const directory = temporaryDirectory()
    // A cluster of one: only clusters have a history.
    execFileSync('ovsdb-tool', ['create-cluster', `${directory}/db.db`, NOTES_SCHEMA, `unix:${directory}/raft`])
    server = ovsdbServer(directory, `${directory}/db.db`)
    await server.start()
    relay = await openRelay(directory, server.remote.slice('unix:'.length))
    client = openNotes(relay.remote, { clock: quick, probeMilliseconds: 0 })
    client.onChanges((changes) => heard.push(...changes.of(NOTE).map(({ kind, row }) => `${kind} ${row.name}`)))
    writer = openNotes(server.remote, { clock: quick, probeMilliseconds: 0 })
    await Promise.all([client.synchronized(), writer.synchronized()])
    // The server forgets its history where that would be larger than the database.
    await writer.transact(...Array.from({ length: 1_000 }, (_, i) => insert(PERSON, { name: `person ${i}` })))
    await writer.transact(insert(PERSON, { name: 'the last' }))
    await eventually('the client has them', () => client.count(PERSON) === 1_001)
  })
  beforeEach(() => {
    heard.length = 0
    relay.take()
  })
  after(() => relay.close())

  async function away(change: () => Promise<unknown>): Promise<void> {
    relay.open(false)
    await eventually('the client has noticed', () => client.status.state !== 'synchronized')
    await change()
    relay.open(true)
    await client.synchronized()
  }

  it('is resumed: only what changed meanwhile is sent', async () => {
    await writer.transact(
      insert(NOTE, { name: 'stays' }),
      insert(NOTE, { name: 'goes' }),
      insert(NOTE, { name: 'changes' }),
    )
    await eventually('the client has them', () => client.count(NOTE) === 3)
    heard.length = 0
    await away(() =>
      writer.transact(
        remove(NOTE, [['name', '==', 'goes']]),
        update(NOTE, [['name', '==', 'changes']], { size: 1 }),
        insert(NOTE, { name: 'comes' }),
      ),
    )
    assert.equal(resumed(relay.take()), true)
    assert.deepEqual(heard.sort(), ['delete goes', 'insert comes', 'modify changes'])
    assert.deepEqual(plain(client), plain(writer))
  })

  it('is resumed also when the server was killed and started again', async () => {
    await server.kill()
    await eventually('the writer has noticed', () => writer.status.state !== 'synchronized')
    await server.start()
    await writer.synchronized()
    await writer.transact(insert(NOTE, { name: 'after the fall' }))
    await eventually('the client has it', () => client.find(NOTE, 'byName', 'after the fall').length === 1)
    assert.equal(resumed(relay.take()), true)
    assert.deepEqual(heard, ['insert after the fall'])
  })

  it('longer than the history of the server costs a dump, and still tells only what differs', async () => {
    await away(async () => {
      await writer.transact(
        remove(NOTE, [['name', '==', 'stays']]),
        update(NOTE, [['name', '==', 'comes']], { size: 9 }),
      )
      for (let i = 0; i < 120; i += 1) await writer.transact(insert(NOTE, { name: `n${i}` }))
      for (let i = 1; i < 120; i += 1) await writer.transact(remove(NOTE, [['name', '==', `n${i}`]]))
    })
    assert.equal(resumed(relay.take()), false)
    assert.deepEqual(heard.sort(), ['delete stays', 'insert n0', 'modify comes'])
    assert.deepEqual(plain(client), plain(writer))
  })

  it('in the middle of a transaction says that nobody knows, and the rows say it later', async () => {
    relay.cutAt(
      (message) => isReply(message) && Array.isArray(message['result']) && 'uuid' in Object(message['result'][0]),
    )
    await assert.rejects(client.transact(insert(NOTE, { name: 'perhaps' })), UnknownOutcome)
    await client.synchronized()
    assert.equal(client.find(NOTE, 'byName', 'perhaps').length, 1)
  })

  it('in the middle of a change of conditions delays it', async () => {
    relay.cutAt((message) => isReply(message) && JSON.stringify(message['result']) === '{}')
    await client.setCondition(NOTE, [['name', '==', 'perhaps']])
    assert.deepEqual(Object.keys(plain(client)), ['perhaps'])
    let changed = Promise.resolve()
    await away(async () => {
      changed = client.setCondition(NOTE, [['name', '==', 'n0']])
    })
    await changed
    assert.deepEqual(Object.keys(plain(client)), ['n0'])
    await client.setCondition(NOTE, true)
    assert.deepEqual(plain(client), plain(writer))
  })
})

describe('a server without history', () => {
  it('is read as a whole after every connection, and tells only what differs', async () => {
    const directory = temporaryDirectory()
    const server = ovsdbServer(directory, createDatabase(directory, NOTES_SCHEMA))
    await server.start()
    const client = openNotes(server.remote, { clock: quick, probeMilliseconds: 0 })
    await client.synchronized()
    await client.transact(insert(NOTE, { name: 'a', words: ['x', 'y'] }), insert(NOTE, { name: 'b' }))
    const before = plain(client)
    const heard: string[] = []
    client.onChanges((changes) => heard.push(...changes.of(NOTE).map(({ kind, row }) => `${kind} ${row.name}`)))
    await server.kill()
    await eventually('the client has noticed', () => client.status.state !== 'synchronized')
    await server.start()
    await client.synchronized()
    assert.deepEqual([plain(client), heard], [before, []])

    await server.kill()
    rmSync(`${directory}/db.db`)
    createDatabase(directory, NOTES_SCHEMA)
    await eventually('the client has noticed', () => client.status.state !== 'synchronized')
    await server.start()
    await client.synchronized()
    assert.deepEqual([plain(client), heard.sort()], [{}, ['delete a', 'delete b']])
  })
})
