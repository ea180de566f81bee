import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IpAddress } from '../inventory/records/address.ts'
import { decodeSocketAddress, encodeSocketAddress } from './socket-address.ts'

const cases = [
  { address: '169.254.169.254', port: 80, scope: 0, want: '02000050a9fea9fe0000000000000000' },
  {
    address: 'fe80::a9fe:a9fe',
    port: 9697,
    scope: 7,
    want: '0a0025e100000000fe8000000000000000000000a9fea9fe07000000',
  },
]

for (const { address, port, scope, want } of cases) {
  test(`${address} port ${port} as the kernel reads it, and back`, () => {
    const bytes = Buffer.from(encodeSocketAddress(address as IpAddress, port, scope))
    assert.equal(bytes.toString('hex'), want)
    assert.equal(decodeSocketAddress(bytes), address)
  })
}

test('an address of another family is none', () => {
  assert.equal(decodeSocketAddress(Buffer.from('0100', 'hex')), undefined)
})
