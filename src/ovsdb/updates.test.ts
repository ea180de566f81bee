import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bindTables } from './bound-table.ts'
import { map, optional, reference, set, text } from './column.ts'
import { ProtocolError } from './errors.ts'
import { createJsonStream } from './json-stream.ts'
import { createReplica, type Replica } from './replica.ts'
import { parseSchema } from './schema.ts'
import { table } from './table.ts'
import { readUpdates } from './updates.ts'
import { asWireMap } from './wire-map.ts'

const PORT = table(
  'Port',
  { name: text, owner: optional(reference), macs: set(text), tags: map(text, text) },
  { indexes: { byName: (row) => row.name } },
)
const [A, B] = ['aaaaaaaa-0000-4000-8000-000000000000', 'bbbbbbbb-0000-4000-8000-000000000000']
const any = { min: 0, max: 'unlimited' }
const BINDING = bindTables(
  [PORT],
  parseSchema({
    name: 'Net',
    version: '1.0.0',
    tables: {
      Port: {
        columns: {
          name: { type: 'string' },
          owner: { type: { key: { type: 'uuid' }, min: 0, max: 1 } },
          macs: { type: { key: 'string', ...any } },
          tags: { type: { key: 'string', value: 'string', ...any } },
        },
      },
    },
  }),
)

function replicaWithA(): Replica {
  const replica = createReplica([PORT])
  replica.apply(readUpdates('update2', BINDING, replica, wire({ Port: { [A]: { insert: { name: 'a', macs: 'm' } } } })))
  return replica
}

/** As the connection reads it. */
function wire(updates: unknown): unknown {
  let read: unknown
  createJsonStream((message) => (read = (message as { updates: unknown }).updates), undefined, asWireMap).push(
    Buffer.from(JSON.stringify({ updates })),
  )
  return read
}

describe('an update of the server', () => {
  const hostile: { name: string; updates: unknown; says: RegExp }[] = [
    { name: 'that is no object', updates: [], says: /is no object/ },
    { name: 'of a table nobody asked for', updates: { Chassis: {} }, says: /rows of Chassis/ },
    { name: 'of no kind', updates: { Port: { [B]: { upsert: {} } } }, says: /no known kind/ },
    { name: 'that modifies what was never sent', updates: { Port: { [B]: { modify: {} } } }, says: /never sent/ },
    { name: 'with a row that is none', updates: { Port: { [B]: { insert: [] } } }, says: /A row is no object/ },
    ...[
      { name: 1 }, { name: ['set', []] }, { name: null }, { owner: 'text' }, { owner: ['uuid', 'no uuid'] }, { owner: ['set', [['uuid', A], ['uuid', B]]] },
      { macs: ['set'] }, { macs: ['set', 'x'] }, { macs: ['set', ['a', 1]] }, { macs: ['map', []] },
      { tags: ['set', []] }, { tags: ['map', [['a']]] }, { tags: ['map', [['a', 1]]] }, { tags: { a: 'b' } },
    ].map((row) => ({ name: `with ${JSON.stringify(row)}`, updates: { Port: { [B]: { insert: row } } }, says: /which is not/ })),
  ] // biome-ignore format: a list of rows
  for (const { name, updates, says } of hostile)
    it(`${name} is refused as a whole`, () => {
      const replica = replicaWithA()
      const both = { Port: { [A]: { modify: { name: 'changed' } }, ...(updates as { Port?: object }).Port } }
      assert.throws(
        () => readUpdates('update2', BINDING, replica, wire('Port' in Object(updates) ? both : updates)),
        (error) => {
          assert.ok(error instanceof ProtocolError)
          assert.match(error.message, says)
          return true
        },
      )
      assert.deepEqual(
        replica.find(PORT, 'byName', 'a').map(({ _uuid }) => _uuid),
        [A],
      )
    })

  it('that says nothing new changes nothing', () => {
    const replica = replicaWithA()
    for (const update of [{ insert: { name: 'a', macs: ['set', ['m']] } }, { modify: {} }, { modify: { name: 'a' } }])
      assert.deepEqual(readUpdates('update2', BINDING, replica, wire({ Port: { [A]: update } })), [])
    assert.deepEqual(readUpdates('update2', BINDING, replica, wire({ Port: { [B]: { delete: null } } })), [])
  })
})
