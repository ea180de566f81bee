import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  assertLock,
  type Change,
  comment,
  insert,
  mutate,
  NotConnected,
  named,
  type OvsdbClient,
  remove,
  select,
  TransactionFailed,
  type Uuid,
  update,
  wait,
} from '../../src/ovsdb/ovsdb.ts'
import { closeClients, NOTE, NOTES_SCHEMA, openNotes, PERSON, plain, plainRow } from './notes.ts'
import { createDatabase, endServers, ovsdbServer, temporaryDirectory } from './ovsdb-server.ts'

const directory = temporaryDirectory()
const server = ovsdbServer(directory, createDatabase(directory, NOTES_SCHEMA))
let client: OvsdbClient

before(async () => {
  await server.start()
  client = openNotes(server.remote)
  await client.synchronized()
})
after(async () => {
  await closeClients()
  await endServers()
})

describe('a row', () => {
  it('has the defaults of what was not written', async () => {
    const [uuid] = await client.transact(insert(NOTE, { name: 'bare' }))
    assert.deepEqual(plainRow(client.get(NOTE, uuid) ?? {}), {
      _uuid: uuid, name: 'bare', size: 0, weight: 0, open: false, mood: '', owner: undefined, title: undefined,
      words: [], counts: [], readers: [], tags: [], one_tag: [], ages: [], some: [0],
    }) // biome-ignore format: as the schema has them
  })

  it('is in memory before the transaction that made it resolves, with everything that was written', async () => {
    const [ann, bob, uuid] = await client.transact(
      insert(PERSON, { name: 'Ann' }, { name: 'ann' }),
      insert(PERSON, { name: 'Bob' }, { name: 'bob' }),
      insert(NOTE, {
        name: 'full',
        size: -7,
        weight: 1.5,
        open: true,
        mood: 'glad',
        owner: named('ann'),
        title: '“Grüße”\n\\',
        words: ['b', 'a'],
        counts: [10, 9, 100],
        readers: [named('ann'), named('bob')],
        tags: new Map([
          ['z', '1'],
          ['a', ''],
        ]),
        one_tag: new Map([['k', 'v']]),
        ages: new Map([
          [30, named('bob')],
          [4, named('ann')],
        ]),
        some: [3, 1, 2],
      }),
    )
    assert.deepEqual(plainRow(client.get(NOTE, uuid) ?? {}), {
      _uuid: uuid, name: 'full', size: -7, weight: 1.5, open: true, mood: 'glad', owner: ann, title: '“Grüße”\n\\',
      words: ['a', 'b'], counts: [9, 10, 100], readers: [ann, bob].sort(),
      tags: [['a', ''], ['z', '1']], one_tag: [['k', 'v']], ages: [[4, ann], [30, bob]], some: [1, 2, 3],
    }) // biome-ignore format: a column after the other
  })

  it('is found by its indexes, as they are after every change', async () => {
    const names = (key: string) =>
      client
        .find(NOTE, 'byWord', key)
        .map((row) => row.name)
        .sort()
    const [uuid] = await client.transact(
      insert(NOTE, { name: 'one', words: ['x', 'y'] }),
      insert(NOTE, { name: 'two', words: ['y'] }),
    )
    assert.deepEqual([names('x'), names('y'), names('z')], [['one'], ['one', 'two'], []])
    await client.transact(
      mutate(
        NOTE,
        [['name', '==', 'one']],
        [
          ['words', 'delete', ['y']],
          ['words', 'insert', ['z']],
        ],
      ),
    )
    assert.deepEqual([names('x'), names('y'), names('z')], [['one'], ['two'], ['one']])
    await client.transact(remove(NOTE, [['_uuid', '==', uuid]]))
    assert.deepEqual([names('x'), names('y'), names('z')], [[], ['two'], []])
    assert.deepEqual(client.find(NOTE, 'byName', 'one'), [])
  })

  it('loses a weak reference when what it refers to goes, in one set of changes', async () => {
    const [eve, uuid] = await client.transact(
      insert(PERSON, { name: 'Eve' }, { name: 'eve' }),
      insert(NOTE, { name: 'weak', owner: named('eve') }),
    )
    assert.equal(client.find(NOTE, 'byOwner', eve)[0]?._uuid, uuid)
    const heard: string[][] = []
    const unlisten = client.onChanges((changes) => {
      heard.push([...changes.of(PERSON), ...changes.of(NOTE)].map((change) => `${change.kind} ${change.row.name}`))
      assert.equal(client.get(NOTE, uuid)?.owner, undefined)
    })
    await client.transact(remove(PERSON, [['name', '==', 'Eve']]))
    unlisten()
    assert.deepEqual(heard, [['delete Eve', 'modify weak']])
    assert.deepEqual(client.find(NOTE, 'byOwner', eve), [])
  })
})

describe('a difference', () => {
  const steps: { name: string; change: Parameters<typeof update<typeof NOTE>>[2] }[] = [
    { name: 'an optional value comes', change: { title: 'first' } },
    { name: 'is replaced', change: { title: 'second' } },
    { name: 'goes', change: { title: undefined } },
    { name: 'a set grows', change: { words: ['a', 'b', 'c'] } },
    { name: 'loses and wins', change: { words: ['d', 'b'] } },
    { name: 'loses one of two', change: { words: ['b'] } },
    { name: 'becomes empty', change: { words: [] } },
    { name: 'a map grows', change: { tags: new Map([['a', '1'], ['b', '2'], ['c', '3']]) } },
    { name: 'has another value, one less, one more', change: { tags: new Map([['a', 'x'], ['c', '3'], ['d', '4']]) } },
    { name: 'becomes empty at last', change: { tags: new Map() } },
    { name: 'a map of one comes', change: { one_tag: new Map([['a', '1']]) } },
    { name: 'has another key', change: { one_tag: new Map([['b', '1']]) } },
    { name: 'has another value', change: { one_tag: new Map([['b', '2']]) } },
    { name: 'is empty again', change: { one_tag: new Map() } },
    { name: 'scalars change', change: { size: 5, weight: 0.25, open: true, mood: 'sad' } },
    { name: 'and become what they are by default', change: { size: 0, weight: 0, open: false, mood: '' } },
    { name: 'a set that is never empty changes', change: { some: [2, 3] } },
  ] // biome-ignore format: a step a line

  it('makes of a known row what a new reader reads', async () => {
    const [uuid] = await client.transact(insert(NOTE, { name: 'steps' }))
    for (const { name, change } of steps) {
      await client.transact(update(NOTE, [['_uuid', '==', uuid]], change))
      const [[read]] = await client.transact(select(NOTE, [['_uuid', '==', uuid]]))
      assert.deepEqual(plainRow(client.get(NOTE, uuid) ?? {}), plainRow(read ?? {}), name)
    }
  })

  it('is told with the row as it was, and shares what did not change', async () => {
    const [uuid] = await client.transact(insert(NOTE, { name: 'told', size: 1, tags: new Map([['k', 'v']]) }))
    const changes: Change<typeof NOTE>[] = []
    const unlisten = client.onChanges((all) => changes.push(...all.of(NOTE)))
    await client.transact(update(NOTE, [['_uuid', '==', uuid]], { size: 2 }))
    await client.transact(update(NOTE, [['_uuid', '==', uuid]], { size: 2 }))
    await client.transact(remove(NOTE, [['_uuid', '==', uuid]]))
    unlisten()
    assert.deepEqual(
      changes.map(({ kind }) => kind),
      ['modify', 'delete'],
    )
    const [modified, deleted] = changes
    assert.ok(modified?.kind === 'modify' && deleted !== undefined)
    assert.deepEqual([modified.old.size, modified.row.size, deleted.row.size], [1, 2, 2])
    assert.equal(modified.row.tags, modified.old.tags)
  })
})

describe('a transaction', () => {
  it('tells of each operation what it did', async () => {
    const results = await client.transact(
      comment('counting'),
      insert(PERSON, { name: 'Kim' }),
      insert(PERSON, { name: 'Kim' }),
      select(PERSON, [['name', '==', 'Kim']]),
      update(PERSON, [['name', '==', 'Kim']], { name: 'Lee' }),
      wait(PERSON, [['name', '==', 'Lee']], '==', [{ name: 'Lee' }, { name: 'Lee' }], { columns: ['name'] }),
      remove(PERSON, [['name', '==', 'Lee']]),
    )
    assert.deepEqual(results.map((it) => (Array.isArray(it) ? it.map(({ name }) => name) : typeof it)), [
      'undefined', 'string', 'string', ['Kim', 'Kim'], 'number', 'undefined', 'number',
    ]) // biome-ignore format: one line
    assert.deepEqual([results[4], results[6]], [2, 2])
  })

  const failing: { name: string; run: () => Promise<unknown>; code: string; operation: number | undefined }[] = [
    {
      name: 'breaks a constraint of a column',
      run: () => client.transact(comment('fine'), insert(NOTE, { name: 'bad', mood: 'bored' }), comment('never run')),
      code: 'constraint violation',
      operation: 1,
    },
    {
      name: 'breaks an index, which only the commit sees',
      run: () => client.transact(insert(NOTE, { name: 'twice' }), insert(NOTE, { name: 'twice' })),
      code: 'constraint violation',
      operation: undefined,
    },
    {
      name: 'waits for what does not come',
      run: () =>
        client.transact(wait(NOTE, [], '==', [{ name: 'godot' }], { columns: ['name'], timeoutMilliseconds: 50 })),
      code: 'timed out',
      operation: 0,
    },
    {
      name: 'asserts a lock that we do not hold',
      run: () => client.transact(assertLock('nobodys'), comment('x')),
      code: 'not owner',
      operation: 0,
    },
    {
      name: 'gives two rows one name',
      run: () =>
        client.transact(
          insert(PERSON, { name: 'A' }, { name: 'same' }),
          insert(PERSON, { name: 'B' }, { name: 'same' }),
        ),
      code: 'duplicate uuid-name',
      operation: 1,
    },
  ]
  for (const { name, run, code, operation } of failing)
    it(`that ${name} fails as a whole and says where`, async () => {
      const rows = plain(client)
      await assert.rejects(run(), (error) => {
        assert.ok(error instanceof TransactionFailed, String(error))
        assert.deepEqual([error.code, error.operation], [code, operation])
        return true
      })
      assert.deepEqual(plain(client), rows)
    })

  it('is refused here when a client has no connection', async () => {
    const lonely = openNotes(`unix:${directory}/nobody`)
    await assert.rejects(lonely.transact(comment('hello')), NotConnected)
    await lonely.close()
    await assert.rejects(lonely.synchronized(), NotConnected)
  })

  it('names a table or index that the client does not have', () => {
    assert.throws(
      () => openNotes(server.remote, { tables: [PERSON] }).get(NOTE, '' as Uuid),
      /Table Note was not among/,
    )
  })
})
