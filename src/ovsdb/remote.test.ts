import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatRemote, parseRemotes } from './remote.ts'

describe('remotes', () => {
  const good: { text: string; want: string }[] = [
    { text: 'unix:/run/openvswitch/db.sock', want: 'unix:/run/openvswitch/db.sock' },
    { text: 'tcp:10.0.0.1:6642', want: 'tcp:10.0.0.1:6642' },
    { text: 'tcp:db.example', want: 'tcp:db.example:6640' },
    { text: 'ssl:[fd00::1]:6642', want: 'ssl:[fd00::1]:6642' },
    { text: 'ssl:[fd00::1]', want: 'ssl:[fd00::1]:6640' },
    { text: 'tcp:a:1, tcp:b:2,unix:/c', want: 'tcp:a:1,tcp:b:2,unix:/c' },
  ]
  for (const { text, want } of good)
    it(`are read from ${text}`, () => assert.equal(parseRemotes(text).map(formatRemote).join(','), want))

  const bad = [
    '',
    'unix:',
    '10.0.0.1:6642',
    'tcp:',
    'tcp:a:0',
    'tcp:a:65536',
    'ssl:fd00::1:6642',
    'http:a:1',
    'tcp:a:1,',
  ]
  for (const text of bad)
    it(`are not read from ${JSON.stringify(text)}`, () => assert.throws(() => parseRemotes(text), /is no OVSDB remote/))
})
