import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packetMark } from './option.ts'

const { parse } = packetMark('0x1', '')

for (const [given, want] of [
  ['0x1', '0x1'],
  ['1', '0x1'],
  ['0x00AB', '0xab'],
  ['65535', '0xffff'],
] as const)
  test(`the mark ${given} is ${want}`, () => assert.equal(parse(given), want))

for (const given of ['0', '0x2', '2', '0x10000', '0x1/0xffff', 'one', '', '1e1', '-1'])
  test(`${JSON.stringify(given)} is no mark`, () => assert.throws(() => parse(given), /is not a mark/))
