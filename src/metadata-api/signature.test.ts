import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSigned } from './signature.ts'

const ID = 'b65cee2f-8c69-4aeb-be2f-f79742548fc2'
const SIGNED = '823491c9c66985fac0685c45d8eda8869d581ff62c4661479451ee51e2946737'
const SIGNED_EMPTY = '988ce0432879b2da725247b4a4c1a9ea78966115a19bcd11de5389b1e37c0fed'

const cases: readonly {
  readonly name: string
  readonly signature: string
  readonly secret: string
  readonly want: boolean
}[] = [
  { name: 'Nova’s own', signature: SIGNED, secret: 's3cr3t', want: true },
  { name: 'an empty secret is a key too', signature: SIGNED_EMPTY, secret: '', want: true },
  { name: 'an empty secret does not switch checking off', signature: SIGNED, secret: '', want: false },
  { name: 'upper case', signature: SIGNED.toUpperCase(), secret: 's3cr3t', want: false },
  { name: 'cut short', signature: SIGNED.slice(0, 63), secret: 's3cr3t', want: false },
  { name: 'empty', signature: '', secret: 's3cr3t', want: false },
  { name: 'sent twice', signature: `${SIGNED},${SIGNED}`, secret: 's3cr3t', want: false },
  { name: 'not ASCII', signature: `${SIGNED.slice(0, 63)}é`, secret: 's3cr3t', want: false },
]

for (const { name, signature, secret, want } of cases) {
  test(`a signature: ${name}`, () => assert.equal(isSigned(ID, signature, secret), want))
}
