import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutStaleLeases } from './leases.ts'

const HOST = [
  'fa:16:3e:00:00:01,host-10-0-0-11.openstacklocal,10.0.0.11',
  'fa:16:3e:00:00:02,host-10-0-0-12.openstacklocal,10.0.0.12,set:port-x',
  'fa:16:3e:00:00:02,tag:dhcpv6,host-fd00--12.openstacklocal,[fd00::12]',
  '',
].join('\n')

const cases: { name: string; given: string; want: string }[] = [
  {
    name: 'what the hosts file says stays',
    given: '1 fa:16:3e:00:00:01 10.0.0.11 h *\n2 fa:16:3e:00:00:02 10.0.0.12 h 01:02\n',
    want: '1 fa:16:3e:00:00:01 10.0.0.11 h *\n2 fa:16:3e:00:00:02 10.0.0.12 h 01:02\n',
  },
  { name: 'an address that is another’s now goes', given: '1 fa:16:3e:00:00:09 10.0.0.11 h *\n', want: '' },
  { name: 'an address that is nobody’s now goes', given: '1 fa:16:3e:00:00:01 10.0.0.99 h *\n', want: '' },
  {
    name: 'IPv6 goes by the address, below the server’s own id',
    given: 'duid 00:01\n3 123 fd00::12 h 00:04\n4 124 fd00::13 h 00:05\n',
    want: 'duid 00:01\n3 123 fd00::12 h 00:04\n',
  },
]
for (const { name, given, want } of cases) test(name, () => assert.equal(withoutStaleLeases(given, HOST), want))
