import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boundAddresses } from './kinds.ts'

test('the addresses of a haproxy are those of its bind lines', () => {
  const cases = [
    { given: 'listen listener\n    bind :::9697\n    server metadata /run/proxy\n', want: 1 },
    { given: '    bind 169.254.169.254:80\n\tbind [fe80::a9fe:a9fe]:80 interface ns-1\n', want: 2 },
    { given: 'bind 127.0.0.1:80,127.0.0.2:80 v4v6\n# bind 127.0.0.3:80\nbind-process all\n', want: 2 },
    { given: 'global\n    maxconn 1024\n', want: 0 },
  ]
  for (const { given, want } of cases) assert.equal(boundAddresses(given), want, given)
})
