import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObservedNamespace } from '../../host/host.ts'
import { resumedListeners } from './resume.ts'

const left = (name: string, addresses: string[], listening: string[] = []): ObservedNamespace => ({
  name,
  isOurs: true,
  isEmptyName: false,
  sysctls: {},
  devices: [
    { name: 'ns-1', peer: 'tap1', bridge: 'brq1', mac: 'fa:16:3e:00:00:01' as never, mtu: 1500, addresses, up: true },
  ],
  defaultRoutes: [],
  listening: new Set(listening),
  dnsmasq: undefined,
})

const cases: { name: string; given: ObservedNamespace; want: string[] }[] = [
  {
    name: 'both families',
    given: left('qdhcp-n1', ['10.0.0.2/24', '169.254.169.254/32', 'fe80::a9fe:a9fe/64']),
    want: ['169.254.169.254 null', 'fe80::a9fe:a9fe ns-1'],
  },
  { name: 'no metadata address', given: left('qdhcp-n1', ['10.0.0.2/24']), want: [] },
  { name: 'a namespace that is no network’s', given: left('qrouter-r1', ['169.254.169.254/32']), want: [] },
  {
    name: 'one that is served already',
    given: left('qdhcp-n1', ['169.254.169.254/32'], ['169.254.169.254:80 network=n1']),
    want: [],
  },
]
for (const { name, given, want } of cases)
  test(`what an earlier run left is served again: ${name}`, () => {
    const commands = resumedListeners(given)
    assert.deepEqual(
      commands.map((command) =>
        command.kind === 'listener-open' ? `${command.listener.address} ${command.listener.device}` : command.kind,
      ),
      want,
    )
  })
