import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObservedNamespace } from '../host/host.ts'
import { NO_FIREWALL } from '../host/namespace.ts'
import { DATAPATH_DEFAULTS, type DatapathConfig } from './config.ts'
import { resumedListeners, resumedOvnListeners } from './resume.ts'

const left = (name: string, addresses: string[], listening: string[] = []): ObservedNamespace => ({
  name,
  isOurs: true,
  isEmptyName: false,
  sysctls: {},
  devices: [
    { name: 'ns-1', peer: 'tap1', bridge: 'brq1', mac: 'fa:16:3e:00:00:01' as never, mtu: 1500, addresses, up: true },
  ],
  routes: [],
  firewall: NO_FIREWALL,
  listening: new Set(listening),
  programs: [],
})

const cases: { name: string; given: ObservedNamespace; config?: Partial<DatapathConfig>; want: string[] }[] = [
  {
    name: 'both families',
    given: left('qdhcp-n1', ['10.0.0.2/24', '169.254.169.254/32', 'fe80::a9fe:a9fe/64']),
    want: ['169.254.169.254 null', 'fe80::a9fe:a9fe ns-1'],
  },
  { name: 'no metadata address', given: left('qdhcp-n1', ['10.0.0.2/24']), want: [] },
  { name: 'a namespace that is neither', given: left('qother-r1', ['169.254.169.254/32']), want: [] },
  { name: 'a router', given: left('qrouter-r1', ['10.0.0.1/24']), want: [':: null'] },
  {
    name: 'a router, without IPv6',
    given: left('qrouter-r1', ['10.0.0.1/24']),
    config: { hasIpv6: false },
    want: ['0.0.0.0 null'],
  },
  { name: 'a router, off', given: left('qrouter-r1', []), config: { enableMetadataProxy: false }, want: [] },
  {
    name: 'a haproxy is there',
    given: left('qdhcp-n1', ['169.254.169.254/32']),
    config: { metadataProxyDriver: 'haproxy' },
    want: [],
  },
  {
    name: 'one that is served already',
    given: left('qdhcp-n1', ['169.254.169.254/32'], ['169.254.169.254:80 network=n1']),
    want: [],
  },
]
for (const { name, given, config = {}, want } of cases)
  test(`what an earlier run left is served again: ${name}`, () => {
    const commands = resumedListeners(given, { ...DATAPATH_DEFAULTS, statePath: '/s', ...config })
    assert.deepEqual(
      commands.map((command) =>
        command.kind === 'listener-open' ? `${command.listener.address} ${command.listener.device}` : command.kind,
      ),
      want,
    )
  })

const NATIVE = { metadataProxyDriver: 'native' } as const

test('what an earlier run left of OVN’s networks is served again', () => {
  const [command, ...more] = resumedOvnListeners(left('ovnmeta-n1', ['10.0.0.2/24', '169.254.169.254/32']), NATIVE)
  assert.deepEqual(command?.kind === 'listener-open' && command.listener, {
    address: '169.254.169.254',
    port: 80,
    device: null,
    stamp: { networkId: 'n1' },
  })
  assert.deepEqual([more, resumedOvnListeners(left('qdhcp-n1', ['169.254.169.254/32']), NATIVE)], [[], []])
})
