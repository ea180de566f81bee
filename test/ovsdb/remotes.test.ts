import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { insert, type OvsdbClient, type Status } from '../../src/ovsdb/ovsdb.ts'
import { createAuthority } from './certificates.ts'
import { closeClients, NOTES_SCHEMA, openNotes, PERSON } from './notes.ts'
import { createDatabase, endServers, ovsdbServer, temporaryDirectory } from './ovsdb-server.ts'

const directory = temporaryDirectory()
const database = createDatabase(directory, NOTES_SCHEMA)
const authority = createAuthority(directory, 'ours')
const ofServer = authority.issue('server')
const ofClient = authority.issue('chassis-1')

after(async () => {
  await closeClients()
  await endServers()
})

async function proveItWorks(client: OvsdbClient): Promise<void> {
  await client.synchronized()
  const [uuid] = await client.transact(insert(PERSON, { name: 'Ann' }))
  assert.equal(client.get(PERSON, uuid)?.name, 'Ann')
  await client.close()
}

/** Why the next attempt fails. */
async function failure(client: OvsdbClient): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  client.onStatus((status: Status) => status.state === 'disconnected' && resolve(status.reason.message))
  const reason = await promise
  await client.close()
  return reason
}

describe('a remote', () => {
  for (const [family, host] of [['IPv4', '127.0.0.1'], ['IPv6', '[::1]']] as const)
    it(`tcp: over ${family} carries the protocol`, async () => {
      const server = ovsdbServer(directory, database, { name: `tcp${family}`, args: [`--remote=ptcp:0:${host}`] })
      await server.start()
      await proveItWorks(openNotes(`tcp:${host}:${await server.port()}`))
      await server.kill()
    }) // biome-ignore format: a pair a row

  it('ssl: needs a certificate on both sides', async () => {
    const files = [
      `--private-key=${ofServer.keyFile}`,
      `--certificate=${ofServer.certFile}`,
      `--ca-cert=${authority.caFile}`,
    ]
    const server = ovsdbServer(directory, database, { name: 'ssl', args: ['--remote=pssl:0:127.0.0.1', ...files] })
    await server.start()
    const remote = `ssl:127.0.0.1:${await server.port()}`
    let asked = 0
    const tls = () => {
      asked += 1
      return Promise.resolve(ofClient)
    }
    await proveItWorks(openNotes(remote, { tls }))
    assert.equal(asked, 1)

    const stranger = createAuthority(directory, 'theirs')
    assert.match(await failure(openNotes(remote)), /a key, certificate and CA are needed/)
    const untrusted = { ...ofClient, ca: stranger.issue('x').ca }
    assert.match(await failure(openNotes(remote, { tls: () => untrusted })), /unable to (get|verify)|self-signed/)
    const unsigned = { ...stranger.issue('chassis-2'), ca: ofClient.ca }
    assert.match(await failure(openNotes(remote, { tls: () => unsigned })), /connection (failed|closed)|closed|alert/i)
    await server.kill()
  })

  it('that nobody serves is one of several: the others are tried without a pause', async () => {
    const server = ovsdbServer(directory, database, { name: 'third' })
    await server.start()
    const states: string[] = []
    const client = openNotes(`unix:${directory}/none,tcp:127.0.0.1:1,${server.remote}`, { random: () => 0 })
    client.onStatus((status) => states.push(status.state))
    await client.synchronized()
    assert.deepEqual(states, ['connecting', 'disconnected', 'connecting', 'disconnected', 'connecting', 'synchronized'])
    await client.close()
    assert.equal(client.status.state, 'closed')
    await server.kill()
  })

  it('that has another database than ours is left with a reason', async () => {
    const server = ovsdbServer(directory, database, { name: 'other' })
    await server.start()
    assert.match(await failure(openNotes(server.remote, { database: 'Letters' })), /no database Letters/)
    await server.kill()
  })
})
