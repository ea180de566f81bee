import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InstanceId } from '../inventory/records/ids.ts'
import { sessionTokens } from './session-token.ts'

const ONE = 'b65cee2f-8c69-4aeb-be2f-f79742548fc2' as InstanceId
const TWO = '00000000-0000-4000-8000-000000000000' as InstanceId
const NOON = Date.parse('2026-08-01T12:00:00Z')

const at = (seconds: number, secret = 's3cr3t') => sessionTokens(secret, () => NOON + seconds * 1000)
const token = at(0).issue(ONE, 60)

const cases: readonly {
  name: string
  given: string
  instance?: InstanceId
  after?: number
  secret?: string
  want: boolean
}[] = [
  { name: 'as issued', given: token, want: true },
  { name: 'in its last second', given: token, after: 59.999, want: true },
  { name: 'expired', given: token, after: 60, want: false },
  { name: 'of another instance', given: token, instance: TWO, want: false },
  { name: 'of a process with another secret', given: token, secret: 'other', want: false },
  { name: 'of a process without one', given: token, secret: '', want: false },
  { name: 'with a later expiry', given: `${later(token)}`, want: false },
  { name: 'with another seal', given: `${token.slice(0, -4)}AAAA`, want: false },
  { name: 'cut short', given: token.slice(0, -4), want: false },
  { name: 'with more behind it', given: `${token}AAAA`, want: false },
  { name: 'empty', given: '', want: false },
  { name: 'no base64', given: 'é'.repeat(54), want: false },
]

for (const { name, given, instance = ONE, after = 0, secret, want } of cases)
  test(`a token ${name} is ${want ? 'good' : 'not'}`, () =>
    assert.equal(at(after, secret).isValid(given, instance), want))

test('processes that share the secret take each other’s tokens; without a secret each has a key of its own', () => {
  assert.ok(at(1).isValid(token, ONE))
  const alone = at(0, '')
  assert.ok(alone.isValid(alone.issue(ONE, 60), ONE))
  assert.ok(!alone.isValid(at(0, '').issue(ONE, 60), ONE))
})

/** The same seal over an hour more. */
function later(issued: string): string {
  const bytes = Buffer.from(issued, 'base64url')
  bytes.writeBigUInt64BE(bytes.readBigUInt64BE() + 3_600_000n)
  return bytes.toString('base64url')
}
