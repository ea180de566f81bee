import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ifPresent, text } from './column.ts'
import { ProtocolError, TransactionFailed } from './errors.ts'
import { comment, insert, remove, select } from './operation.ts'
import { table } from './table.ts'
import { readResults } from './transaction.ts'

const PORT = table('Port', { name: text })
const OPERATIONS = [insert(PORT, { name: 'a' }), comment('so'), remove(PORT, [['name', '==', 'b']])] as const
const GOOD = [{ uuid: ['uuid', 'u'] }, {}, { count: 2 }]

describe('a select', () => {
  it('does not ask for columns that the server lacks and may lack', () => {
    const declared = table('Port', { name: text, vlan: ifPresent(text), mode: ifPresent(text) })
    const server = { hasColumn: (_: unknown, column: string) => column === 'mode' }
    const { wire, read } = select(declared, [], server)
    assert.deepEqual(wire['columns'], ['_uuid', 'name', 'mode'])
    const rows = [{ _uuid: ['uuid', 'u'], name: 'a', mode: 'access' }]
    assert.deepEqual(read({ rows }), [{ _uuid: 'u', name: 'a', vlan: undefined, mode: 'access' }])
  })
})

describe('the reply to a transaction', () => {
  it('has a result for each operation', () => {
    assert.deepEqual(readResults(OPERATIONS, GOOD), ['u', undefined, 2])
  })

  const failed: { name: string; reply: unknown; operation: number | undefined; says: string }[] = [
    { name: 'an error in the middle', reply: [GOOD[0], { error: 'e', details: 'd' }, null], operation: 1, says: 'Operation 1 (comment) failed: e: d' },
    { name: 'one in the last', reply: [GOOD[0], {}, { error: 'e' }], operation: 2, says: 'Operation 2 (delete Port) failed: e' },
    { name: 'one behind the last', reply: [...GOOD, { error: 'constraint violation' }], operation: undefined, says: 'The transaction could not be committed: constraint violation' },
  ] // biome-ignore format: a case a line
  for (const { name, reply, operation, says } of failed)
    it(`with ${name} is a failure`, () =>
      assert.throws(
        () => readResults(OPERATIONS, reply),
        (error) => {
          assert.ok(error instanceof TransactionFailed)
          assert.deepEqual([error.operation, error.message], [operation, says])
          return true
        },
      ))

  const senseless = [null, {}, [], [...GOOD.slice(0, 2)], [GOOD[0], null, GOOD[2]], [{}, {}, GOOD[2]], [1, 2, 3]]
  for (const reply of senseless)
    it(`${JSON.stringify(reply)} makes no sense`, () =>
      assert.throws(() => readResults(OPERATIONS, reply), ProtocolError))
})
