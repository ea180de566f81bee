import assert from 'node:assert/strict'
import { test } from 'node:test'
import { explanation } from './spawn.ts'

test('of what a program said that is kept which tells why it fails', () => {
  const cases = [
    {
      kind: 'haproxy',
      said: [
        '[NOTICE]   (56) : haproxy version is 2.6.12-1+deb12u3',
        '[NOTICE]   (56) : path to executable is /usr/sbin/haproxy',
        "[ALERT]    (56) : config : parsing [h/bad.conf:17] : unknown keyword 'bogus' in 'listen' section",
        '[ALERT]    (56) : config : Error(s) found in configuration file : h/bad.conf',
        '[ALERT]    (56) : config : Fatal errors found in configuration.',
      ],
      want: "[ALERT]    (56) : config : parsing [h/bad.conf:17] : unknown keyword 'bogus' in 'listen' section",
    },
    {
      kind: 'radvd',
      said: [
        '[Nov 21 12:33:26] radvd (80): version 2.19 started',
        'ra/bad.conf:1 error: syntax error',
        '[Nov 21 12:33:26] radvd (80): exiting, failed to read config file',
      ],
      want: 'ra/bad.conf:1 error: syntax error',
    },
    { kind: 'dnsmasq', said: ['one', 'two', 'three'], want: 'two | three' },
    { kind: 'dnsmasq', said: [], want: '' },
  ] as const
  for (const { kind, said, want } of cases)
    assert.equal(explanation(kind, said.map((line) => `${line}\n`).join('')), want)
})
