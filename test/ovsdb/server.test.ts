import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { ifPresent, insert, type OvsdbClient, table, text, update } from '../../src/ovsdb/ovsdb.ts'
import { eventually } from '../support/eventually.ts'
import { closeClients, NOTE, NOTES_SCHEMA, openNotes, PERSON } from './notes.ts'
import { createDatabase, endServers, ovsdbServer, temporaryDirectory } from './ovsdb-server.ts'
import { quick } from './quick-clock.ts'

const directory = temporaryDirectory()
const server = ovsdbServer(directory, createDatabase(directory, NOTES_SCHEMA))

before(() => server.start())
after(async () => {
  await closeClients()
  await endServers()
})

const states = (client: OvsdbClient) => {
  const seen: string[] = []
  client.onStatus(({ state }) => seen.push(state))
  return seen
}

describe('a running server', () => {
  const LATER_NOTE = table('Note', { name: text, colour: ifPresent(text), mood: ifPresent(text) })

  it('whose schema is changed is read by the new one, on the same connection', async () => {
    const directory = temporaryDirectory()
    const server = ovsdbServer(directory, createDatabase(directory, NOTES_SCHEMA))
    await server.start()
    const client = openNotes(server.remote, { tables: [LATER_NOTE], clock: quick, probeMilliseconds: 0 })
    await client.synchronized()
    await client.transact(insert(LATER_NOTE, { name: 'early', mood: 'glad' }))
    const seen = states(client)

    const schema = JSON.parse(readFileSync(NOTES_SCHEMA, 'utf8'))
    delete schema.tables.Note.columns.mood
    schema.tables.Note.columns.colour = { type: 'string' }
    schema.version = '2.0.0'
    writeFileSync(`${directory}/later.ovsschema`, JSON.stringify(schema))
    execFileSync('ovsdb-client', ['convert', server.remote, `${directory}/later.ovsschema`])

    await eventually('the new column is known', () => client.hasColumn(LATER_NOTE, 'colour'))
    const [early] = client.all(LATER_NOTE)
    assert.deepEqual([early?.name, early?.colour, early?.mood], ['early', '', undefined])
    await client.transact(update(LATER_NOTE, [['name', '==', 'early']], { colour: 'red' }))
    assert.equal([...client.all(LATER_NOTE)][0]?.colour, 'red')
    assert.ok(!seen.includes('disconnected'))
    await client.close()
  })

  it('that hangs is left when it answers no probe, and taken again when it goes on', async () => {
    const client = openNotes(server.remote, { probeMilliseconds: 200 })
    await client.synchronized()
    const seen = states(client)
    server.freeze(true)
    await eventually('it is left', () => seen.includes('disconnected'))
    server.freeze(false)
    await client.synchronized()
    const [uuid] = await client.transact(insert(PERSON, { name: 'Ann' }))
    assert.equal(client.get(PERSON, uuid)?.name, 'Ann')
    await client.close()
  })

  it('that is asked a lot answers everything, in order', async () => {
    const client = openNotes(server.remote, { probeMilliseconds: 0 })
    await client.synchronized()
    const long = '€'.repeat(100_000)
    const all = Array.from({ length: 200 }, (_, i) => client.transact(insert(NOTE, { name: `many ${i}`, title: long })))
    const uuids = (await Promise.all(all)).map(([uuid]) => uuid)
    assert.ok(
      uuids.every((uuid, i) => client.get(NOTE, uuid)?.name === `many ${i}` && client.get(NOTE, uuid)?.title === long),
    )
    await client.close()
  })

  it('is left to others by a client that is closed while it connects', async () => {
    const client = openNotes(server.remote)
    const synchronized = assert.rejects(client.synchronized(), /was closed/)
    const condition = assert.rejects(client.setCondition(NOTE, false), /was closed/)
    await client.close()
    await Promise.all([synchronized, condition, client.close()])
    assert.equal(client.status.state, 'closed')
  })
})
