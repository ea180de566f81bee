import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aDhcpPort, aNetwork, aPort, aRouter, aRouterPort, aSubnet } from '../../test/support/network-records.ts'
import type { Command } from '../host/host.ts'
import type { IpAddress, MacAddress } from '../inventory/records/address.ts'
import type { Server } from '../inventory/records/server.ts'
import { explain } from './explain.ts'
import type { Facts } from './facts.ts'
import { FAULTS } from './faults.ts'

const ip = (text: string) => text as IpAddress
const NETNS = 'qdhcp-n'
const port = aPort('port-1', ['s=10.0.0.11'], { deviceId: 'server-1', deviceOwner: 'compute:nova' })
const dhcpPort = aDhcpPort('dhcp-1', 's=10.0.0.2')
const other = aPort('port-2', ['s=10.0.0.12'], { deviceOwner: 'compute:nova' })
const routed = (id: string, address: string) => ({
  router: aRouter(id),
  port: aRouterPort(`of ${id}`, `s=${address}`),
  address: ip(address),
})
const unknown = { unknown: 'not in this test' }

/** A guest on an isolated network, and all is well. */
const healthy: Facts = {
  now: 1_000_000,
  records: {
    server: { id: 'server-1', name: 'web-1' } as Server,
    port,
    fixedIp: port.fixedIps[0],
    network: aNetwork(),
    subnet: aSubnet('s', '10.0.0.0/24', { gatewayIp: ip('10.0.0.1') }),
    dhcpPort,
    routers: [],
    gatewayHolder: undefined,
    found: [port],
  },
  path: {
    kind: 'dhcp',
    netns: NETNS,
    nextHop: ip('10.0.0.2'),
    listensOn: { address: ip('169.254.169.254'), port: 80 },
    because: 'it is isolated',
    isDhcpServed: true,
  },
  host: {
    holder: 1,
    daemons: [
      { command: 'up', pid: 1 },
      { command: 'metadata-proxy', pid: 2 },
    ],
    answersOperator: true,
    troubles: [],
    freeBytes: { value: 1e12 },
    descriptors: [{ pid: 2, command: 'metadata-proxy', open: 30, limit: 1_024 }],
    newest: 999_000,
  },
  steps: { value: [] },
  plug: {
    value: {
      bridge: { name: 'brq', mtu: 1450, isUp: true },
      tap: { name: 'tap', bridge: 'brq', mtu: 1450, isUp: true },
      heardOn: 'tap',
      bridgeTables: [],
    },
  },
  inside: {
    value: {
      observed: {
        name: NETNS,
        isOurs: true,
        isEmptyName: false,
        sysctls: {},
        devices: [],
        routes: [],
        firewall: { 4: [], 6: [] },
        listening: new Set(),
        programs: [],
      },
      sockets: [],
      neighbours: [],
      refused: [],
      foreignRules: [],
    },
  },
  offers: {
    value: [
      {
        server: ip('10.0.0.2'),
        address: ip('10.0.0.11'),
        router: undefined,
        mtu: 1450,
        routes: new Map([['169.254.169.254/32', ip('10.0.0.2')]]),
      },
    ],
  },
  visit: { value: { outcome: 'answered', status: 404, milliseconds: 2 } },
  claims: { value: new Map([[ip('10.0.0.11'), new Set([port.macAddress])]]) },
  way: { value: { answers: true, sendsTo: dhcpPort.macAddress, looksFor: undefined, sources: [] } },
  agent: {
    value: { socket: '/s', isHop: true, state: 'connects', reply: { status: 200, milliseconds: 2, uuid: 'server-1' } },
  },
  api: { value: { where: 'h port 1', reply: { status: 200, milliseconds: 2, uuid: undefined }, skew: 0 } },
  database: { value: { path: '/db', problem: undefined } },
  documents: { value: { broken: [], findings: [] } },
  vendorData: { value: [] },
  requests: { value: { last: undefined, count: 0, clients: [], strangers: [] } },
  lease: { value: { endsAt: undefined } },
  drive: { value: { stale: undefined } },
}

const records = (changes: Partial<Facts['records']>): Partial<Facts> => ({
  records: { ...healthy.records, ...changes },
})
const step = (command: object, why: string): Partial<Facts> => ({
  steps: { value: [{ where: NETNS, command: command as Command, why }] },
})

interface Case {
  readonly fault: string
  readonly given: Partial<Facts>
}

const cases: readonly Case[] = [
  { fault: 'port-without-server', given: records({ server: undefined }) },
  { fault: 'port-unbound', given: records({ port: { ...port, vifType: 'binding_failed' } }) },
  { fault: 'no-fixed-ip', given: records({ fixedIp: undefined }) },
  { fault: 'port-down', given: records({ port: { ...port, adminStateUp: false } }) },
  { fault: 'dhcp-port-down', given: records({ dhcpPort: { ...dhcpPort, adminStateUp: false } }) },
  { fault: 'gateway-wrong', given: records({ gatewayHolder: other }) },
  {
    fault: 'gateway-wrong',
    given: records({ subnet: aSubnet('s', '10.0.0.0/24', { gatewayIp: ip('10.0.1.1') }) }),
  },
  { fault: 'two-routers', given: records({ routers: [routed('r1', '10.0.0.8'), routed('r2', '10.0.0.9')] }) },
  { fault: 'address-ambiguous', given: records({ found: [port, other] }) },
  { fault: 'address-unknown', given: records({ found: [] }) },
  { fault: 'route-missing', given: step({ kind: 'route-set' }, 'route to 0.0.0.0/0 is missing') },
  { fault: 'nobody-listens', given: step({ kind: 'listener-open' }, 'nobody listens on 169.254.169.254:80') },
  {
    fault: 'haproxy-dead',
    given: step({ kind: 'program-start', program: { kind: 'haproxy' } }, 'haproxy does not run'),
  },
  {
    fault: 'proxy-missing',
    given: { host: { ...healthy.host, daemons: [{ command: 'up', pid: 1 }] } },
  },
  { fault: 'dnsmasq-silent', given: { offers: { value: [] } } },
  {
    fault: 'dhcp-wrong-address',
    given: {
      offers: {
        value: [
          {
            server: ip('10.0.0.2'),
            address: ip('10.0.0.77'),
            router: undefined,
            mtu: 1450,
            routes: new Map([['169.254.169.254/32', ip('10.0.0.2')]]),
          },
        ],
      },
    },
  },
  { fault: 'request-fails', given: { visit: { value: { outcome: 'lost' } } } },
  {
    fault: 'agent-fails',
    given: {
      agent: {
        value: {
          socket: '/s',
          isHop: true,
          state: 'connects',
          reply: { status: 500, milliseconds: 1, uuid: undefined },
        },
      },
    },
  },
  { fault: 'document-broken', given: { documents: { value: { broken: ['/openstack is 500'], findings: [] } } } },
  {
    fault: 'key-pair-missing',
    given: {
      documents: {
        value: {
          broken: [],
          findings: [
            {
              check: 'key-pair/gone',
              severity: 'warning',
              place: { document: 'public-keys', pieces: [], line: null, member: null },
              problem: 'the key pair "k" is gone',
              breaks: ['cloud-init'],
              how: '',
              mend: 'another',
            },
          ],
        },
      },
    },
  },
  { fault: 'config-drive-stale', given: { drive: { value: { stale: ['the host name changed'] } } } },
  {
    fault: 'clock-skew',
    given: { api: { value: { where: 'h', reply: { status: 200, milliseconds: 1, uuid: undefined }, skew: 60_000 } } },
  },
]

describe('an explanation', () => {
  it('finds nothing where nothing is wrong', () => {
    const { verdict, sentence, findings } = explain(healthy, 'web-1')
    assert.deepEqual(findings, [])
    assert.equal(verdict, 'well')
    assert.equal(sentence, 'web-1 gets its metadata by dhcp.')
  })

  for (const { fault, given } of cases)
    it(`calls it ${fault}`, () => {
      const { findings, steps, verdict } = explain({ ...healthy, ...given }, 'web-1')
      const [first] = findings
      assert.equal(first?.id, fault)
      assert.equal(steps.find(({ id }) => id === first.step)?.state, first.severity)
      assert.equal(verdict, first.severity === 'broken' ? 'broken' : 'well')
    })

  it('names the cause before what follows from it', () => {
    const { findings } = explain(
      {
        ...healthy,
        ...step({ kind: 'program-start', program: { kind: 'dnsmasq' } }, 'dnsmasq does not run'),
        offers: { value: [] },
      },
      'web-1',
    )
    assert.deepEqual(
      findings.map(({ id }) => id),
      ['dnsmasq-dead', 'dnsmasq-silent'],
    )
  })

  it('does not call a stranger’s answer the guest’s', () => {
    const claims = { value: new Map([[ip('10.0.0.11'), new Set(['02:00:00:00:00:01' as MacAddress])]]) }
    assert.equal(explain({ ...healthy, claims }, 'web-1').findings[0]?.id, 'address-taken')
  })

  it('claims no more than could be looked at', () => {
    const dark = { steps: unknown, plug: unknown, inside: unknown, offers: unknown, visit: unknown, claims: unknown }
    const { verdict, findings, sentence } = explain({ ...healthy, ...dark, way: unknown, agent: unknown }, 'web-1')
    assert.deepEqual(findings, [])
    assert.equal(verdict, 'unknown')
    assert.match(sentence, /not looked at: .*namespace.*agent/)
  })

  it('gives each fault one name', () => {
    const ids = FAULTS.map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
  })
})
