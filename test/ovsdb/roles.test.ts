import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import {
  boolean,
  insert,
  map,
  named,
  reference,
  set,
  TransactionFailed,
  table,
  text,
  update,
} from '../../src/ovsdb/ovsdb.ts'
import { createAuthority } from './certificates.ts'
import { closeClients, NOTE, NOTES_SCHEMA, openNotes } from './notes.ts'
import { createDatabase, endServers, ovsdbServer, temporaryDirectory } from './ovsdb-server.ts'

const SETTINGS = table('Settings', { connections: set(reference) })
const CONNECTION = table('Connection', { target: text, role: text })
const ROLE = table('RBAC_Role', { name: text, permissions: map(text, reference) })
const PERMISSION = table('RBAC_Permission', {
  table: text,
  authorization: set(text),
  insert_delete: boolean,
  update: set(text),
})

const directory = temporaryDirectory()
const authority = createAuthority(directory, 'ours')
const ofServer = authority.issue('server')

after(async () => {
  await closeClients()
  await endServers()
})

describe('a client with a role', () => {
  it('hears from the server what it may not write', async () => {
    const files = [
      `--private-key=${ofServer.keyFile}`,
      `--certificate=${ofServer.certFile}`,
      `--ca-cert=${authority.caFile}`,
    ]
    const args = ['--remote=db:Notes,Settings,connections', ...files]
    const server = ovsdbServer(directory, createDatabase(directory, NOTES_SCHEMA), { args })
    await server.start()
    const owner = openNotes(server.remote)
    await owner.synchronized()
    await owner.transact(
      insert(
        PERMISSION,
        { table: 'Note', authorization: ['name'], insert_delete: false, update: ['size'] },
        { name: 'own' },
      ),
      insert(ROLE, { name: 'reader', permissions: new Map([['Note', named('own')]]) }),
      insert(CONNECTION, { target: 'pssl:0:127.0.0.1', role: 'reader' }, { name: 'remote' }),
      insert(SETTINGS, { connections: [named('remote')] }),
      insert(NOTE, { name: 'chassis-1' }),
      insert(NOTE, { name: 'chassis-2' }),
    )

    const client = openNotes(`ssl:127.0.0.1:${await server.port()}`, { tls: () => authority.issue('chassis-1') })
    await client.synchronized()
    const [count] = await client.transact(update(NOTE, [['name', '==', 'chassis-1']], { size: 1 }))
    assert.equal(count, 1)
    for (const refused of [
      update(NOTE, [['name', '==', 'chassis-2']], { size: 1 }),
      update(NOTE, [['name', '==', 'chassis-1']], { title: 'x' }),
      insert(NOTE, { name: 'another' }),
    ])
      await assert.rejects(
        client.transact(refused),
        (error) => error instanceof TransactionFailed && error.code === 'permission error',
      )
  })
})
