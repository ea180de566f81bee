import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dhcpPort, healthy, NETNS, port } from '../../test/support/healthy-guest.ts'
import { aPort, aRouter, aRouterPort, aSubnet } from '../../test/support/network-records.ts'
import type { Command } from '../host/host.ts'
import type { IpAddress, MacAddress } from '../inventory/records/address.ts'
import { explain } from './explain.ts'
import type { Facts } from './facts.ts'
import { FAULTS } from './faults.ts'
import { BRIDGES } from './way.ts'

const ip = (text: string) => text as IpAddress
const other = aPort('port-2', ['s=10.0.0.12'], { deviceOwner: 'compute:nova' })
const routed = (id: string, address: string) => ({
  router: aRouter(id),
  port: aRouterPort(`of ${id}`, `s=${address}`),
  address: ip(address),
})
const unknown = { unknown: 'not in this test' }

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
  {
    fault: 'route-missing',
    given: step({ kind: 'route-set', route: { destination: '0.0.0.0/0' } }, 'route to 0.0.0.0/0 is missing'),
  },
  {
    fault: 'nobody-listens',
    given: step(
      { kind: 'listener-open', listener: { address: '169.254.169.254' } },
      'nobody listens on 169.254.169.254:80',
    ),
  },
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
    const { verdict, sentence, findings } = explain(BRIDGES, healthy, 'web-1')
    assert.deepEqual(findings, [])
    assert.equal(verdict, 'well')
    assert.equal(sentence, 'web-1 gets its metadata by dhcp.')
  })

  for (const { fault, given } of cases)
    it(`calls it ${fault}`, () => {
      const { findings, steps, verdict } = explain(BRIDGES, { ...healthy, ...given }, 'web-1')
      const [first] = findings
      assert.equal(first?.id, fault)
      assert.equal(steps.find(({ id }) => id === first.step)?.state, first.severity)
      assert.equal(verdict, first.severity === 'broken' ? 'broken' : 'well')
    })

  it('names the cause before what follows from it', () => {
    const { findings } = explain(
      BRIDGES,
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
    assert.equal(explain(BRIDGES, { ...healthy, claims }, 'web-1').findings[0]?.id, 'address-taken')
  })

  it('claims no more than could be looked at', () => {
    const dark = { steps: unknown, plug: unknown, inside: unknown, offers: unknown, visit: unknown, claims: unknown }
    const { verdict, findings, sentence } = explain(
      BRIDGES,
      { ...healthy, ...dark, way: unknown, agent: unknown },
      'web-1',
    )
    assert.deepEqual(findings, [])
    assert.equal(verdict, 'unknown')
    assert.match(sentence, /not looked at: .*namespace.*agent/)
  })

  it('gives each fault one name', () => {
    const ids = FAULTS.map(({ id }) => id)
    assert.equal(new Set(ids).size, ids.length)
  })
})
