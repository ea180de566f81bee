import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  ifPresent,
  insert,
  type OvsdbClient,
  type RowOf,
  remove,
  set,
  table,
  text,
  type Uuid,
  update,
} from '../../src/ovsdb/ovsdb.ts'
import { eventually } from '../support/eventually.ts'
import { closeClients, NOTE, NOTES_SCHEMA, openNotes, PERSON, plain } from './notes.ts'
import { createDatabase, endServers, ovsdbServer, temporaryDirectory } from './ovsdb-server.ts'
import { quick } from './quick-clock.ts'
import { openRelay, type Relay } from './relay.ts'

const directory = temporaryDirectory()
const server = ovsdbServer(directory, createDatabase(directory, NOTES_SCHEMA))
const options = { clock: quick, probeMilliseconds: 0 }
let writer: OvsdbClient
let ann: Uuid

before(async () => {
  await server.start()
  writer = openNotes(server.remote, options)
  await writer.synchronized()
  ;[ann] = await writer.transact(insert(PERSON, { name: 'Ann' }))
  const notes = ['a', 'b', 'c', 'd'].map((name, size) => insert(NOTE, { name, size, words: [name, 'all'] }))
  await writer.transact(insert(NOTE, { name: 'of Ann', size: 9, owner: ann, readers: [ann] }), ...notes)
})
after(async () => {
  await closeClients()
  await endServers()
})

const names = (client: OvsdbClient) => Object.keys(plain(client))

describe('a condition', () => {
  const cases: { name: string; condition: () => Parameters<typeof writer.setCondition<typeof NOTE>>[1]; want: string[] }[] = [
    { name: 'true', condition: () => true, want: ['a', 'b', 'c', 'd', 'of Ann'] },
    { name: 'false', condition: () => false, want: [] },
    { name: 'no clause', condition: () => [], want: [] },
    { name: 'one clause', condition: () => [['name', '==', 'b']], want: ['b'] },
    { name: 'either of two', condition: () => [['name', '==', 'b'], ['size', '>', 2]], want: ['b', 'd', 'of Ann'] },
    { name: 'a part of a set', condition: () => [['words', 'includes', ['c']]], want: ['c'] },
    { name: 'a reference', condition: () => [['owner', '==', ann]], want: ['of Ann'] },
    { name: 'a reference in a set', condition: () => [['readers', 'includes', [ann]]], want: ['of Ann'] },
    { name: 'no reference', condition: () => [['owner', '==', undefined]], want: ['a', 'b', 'c', 'd'] },
  ] // biome-ignore format: a case a line

  it('brings the rows it is for before it resolves, and takes the others away', async () => {
    const client = openNotes(server.remote, options)
    for (const { name, condition, want } of cases) {
      await client.setCondition(NOTE, condition())
      assert.deepEqual(names(client), want, name)
    }
    await client.close()
  })

  it('set at once holds from the first dump on', async () => {
    const relay = await openRelay(directory, server.remote.slice(5))
    const client = openNotes(relay.remote, options)
    void client.setCondition(NOTE, [['name', '==', 'a']])
    await client.synchronized()
    assert.deepEqual(names(client), ['a'])
    assert.ok(!JSON.stringify(relay.take()).includes('"name":"b"'))
    await client.close()
    await relay.close()
  })

  it('for no row spares the server its dump, and rows come with the next one', async () => {
    const relay = await openRelay(directory, server.remote.slice(5))
    const client = openNotes(relay.remote, options)
    void client.setCondition(NOTE, false)
    await client.synchronized()
    const [asked] = relay
      .take()
      .flatMap(({ method, params }) => (method === 'monitor_cond_since' ? [params] : []))
      .slice(1)
    const notes = { where: [false], select: { initial: false } }
    assert.partialDeepStrictEqual(asked, ['Notes', ['Notes', 1], { Note: [notes], Person: [{ where: [true] }] }])
    assert.deepEqual([names(client), client.count(PERSON)], [[], 1])
    await client.setCondition(NOTE, [['name', '==', 'b']])
    await writer.transact(update(NOTE, [['name', '==', 'b']], { size: 7 }))
    await eventually('a change of it is told', () => client.find(NOTE, 'byName', 'b')[0]?.size === 7)
    await client.setCondition(NOTE, [['name', '==', 'c']])
    assert.deepEqual(names(client), ['c'])
    await writer.transact(update(NOTE, [['name', '==', 'b']], { size: 1 }))
    await client.close()
    await relay.close()
  })

  it('may be changed by who hears of a change, in stages', async () => {
    const client = openNotes(server.remote, options)
    const heard: string[] = []
    void client.setCondition(NOTE, false)
    client.onChanges((changes) => {
      heard.push(...changes.of(NOTE).map(({ row }) => row.name))
      const people = changes.of(PERSON).map(({ row }) => ['owner', '==', row._uuid] as const)
      if (people.length > 0) void client.setCondition(NOTE, people)
    })
    await eventually('the notes of all people are there', () => heard.length > 0)
    assert.deepEqual([heard, names(client)], [['of Ann'], ['of Ann']])
    await client.close()
  })

  it('wanted a hundred times in a row costs a few requests, and the last one holds', async () => {
    const relay = await openRelay(directory, server.remote.slice(5))
    const client = openNotes(relay.remote, options)
    await client.synchronized()
    relay.take()
    await Promise.all(Array.from({ length: 100 }, (_, i) => client.setCondition(NOTE, [['size', '==', i % 4]])))
    assert.deepEqual(names(client), ['d'])
    const asked = relay.take().filter(({ method }) => method === 'monitor_cond_change').length
    assert.ok(asked >= 1 && asked <= 3, `${asked} requests`)
    await client.close()
    await relay.close()
  })
})

describe('an older server', () => {
  const generations: { name: string; refuses: string[]; method: string }[] = [
    { name: 'before 2.12', refuses: ['monitor_cond_since'], method: 'monitor_cond' },
    {
      name: 'before 2.6',
      refuses: ['monitor_cond_since', 'monitor_cond', 'monitor_cond_change', 'set_db_change_aware'],
      method: 'monitor',
    },
  ]
  for (const { name, refuses, method } of generations)
    it(`${name} is asked with ${method}`, async () => {
      const relay: Relay = await openRelay(directory, server.remote.slice(5))
      relay.refuse(...refuses)
      const client = openNotes(relay.remote, options)
      const heard: string[] = []
      client.onChanges((changes) => heard.push(...changes.of(NOTE).map(({ kind, row }) => `${kind} ${row.name}`)))
      await client.synchronized()
      assert.equal(client.status.state === 'synchronized' && client.status.method, method)
      assert.deepEqual(plain(client), plain(writer))
      heard.length = 0
      await client.transact(insert(NOTE, { name: 'new', tags: new Map([['k', 'v']]) }))
      assert.equal(client.find(NOTE, 'byName', 'new')[0]?.tags.get('k'), 'v')
      await client.setCondition(NOTE, [['name', '==', 'new']])
      assert.deepEqual(heard[0], 'insert new')
      if (method !== 'monitor') assert.deepEqual(names(client), ['new'])
      await client.transact(update(NOTE, [['name', '==', 'new']], { size: 4, tags: new Map() }))
      assert.equal(client.find(NOTE, 'byName', 'new')[0]?.tags.size, 0)
      await client.transact(remove(NOTE, [['name', '==', 'new']]))
      assert.deepEqual(client.find(NOTE, 'byName', 'new'), [])
      await client.close()
      await relay.close()
    })
})

describe('a schema', () => {
  const NOTE_OF_TOMORROW = table('Note', { name: text, colour: ifPresent(text), shades: ifPresent(set(text)) })
  const PRINTER = table('Printer', { name: text }, { mayBeAbsent: true })

  it('older than the declaration leaves what may be absent undefined, and asks for none of it', async () => {
    const client = openNotes(server.remote, { ...options, tables: [NOTE_OF_TOMORROW, PRINTER] })
    await client.setCondition(NOTE_OF_TOMORROW, [
      ['colour', '==', 'red'],
      ['name', '==', 'a'],
    ])
    const rows: RowOf<typeof NOTE_OF_TOMORROW>[] = [...client.all(NOTE_OF_TOMORROW)]
    assert.deepEqual(
      rows.map(({ name, colour, shades }) => ({ name, colour, shades })),
      [{ name: 'a', colour: undefined, shades: undefined }],
    )
    assert.deepEqual(
      [client.hasColumn(NOTE_OF_TOMORROW, 'name'), client.hasColumn(NOTE_OF_TOMORROW, 'colour')],
      [true, false],
    )
    assert.equal(client.count(PRINTER), 0)
    await client.close()
  })

  it('that cannot be read as declared is refused with everything that is wrong', async () => {
    const wrong = [table('Note', { size: text, words: text, colour: text }), table('Printer', { name: text })]
    const client = openNotes(server.remote, { ...options, tables: wrong })
    const { promise, resolve } = Promise.withResolvers<string>()
    client.onStatus((status) => status.state === 'disconnected' && resolve(status.reason.message))
    const message = await promise
    for (const part of [
      /Note\.size is integer, wanted as string/,
      /Note\.words is string \(0 to any\)/,
      /no column Note\.colour/,
      /no table Printer/,
    ])
      assert.match(message, part)
    await client.close()
  })
})
