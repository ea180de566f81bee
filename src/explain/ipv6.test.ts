import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dhcpPort, healthy, metadataSocket, NETNS } from '../../test/support/healthy-guest.ts'
import { aPort, aSubnet } from '../../test/support/network-records.ts'
import type { LinkAnswers } from '../host/probe/link-questions-ipv6.ts'
import type { Cidr, IpAddress, MacAddress } from '../inventory/records/address.ts'
import { explain, explainServer } from './explain.ts'
import type { Facts } from './facts.ts'
import type { Ipv6Facts } from './ipv6.ts'
import { BRIDGES } from './way.ts'

const ip = (text: string) => text as IpAddress
const mac = (text: string) => text as MacAddress
const METADATA = ip('fe80::a9fe:a9fe')
const ADDRESS = ip('fd00::11')
const STRANGER = mac('02:00:00:00:00:01')
const ROUTER = mac('fa:16:3e:00:00:99')

const port = aPort('port-1', ['s6=fd00::11'], { deviceId: 'server-1', deviceOwner: 'compute:nova' })
const subnet = aSubnet('s6', 'fd00::/64', { ipv6AddressMode: 'slaac', ipv6RaMode: 'slaac' })
const linkLocal = ip('fe80::1')
const unknown = { unknown: 'the port has no IPv4 address' }
const answered = { value: { outcome: 'answered', status: 404, milliseconds: 2 } } as const

const heard: LinkAnswers = {
  adverts: [
    {
      mac: ROUTER,
      address: ip('fe80::99'),
      isDefault: true,
      prefixes: ['fd00::/64' as Cidr],
      routes: [`${METADATA}/128` as Cidr],
    },
  ],
  offers: [],
  claims: new Map([
    [ADDRESS, new Set([port.macAddress])],
    [linkLocal, new Set([port.macAddress])],
    [METADATA, new Set([dhcpPort.macAddress])],
  ]),
  guest: new Set([linkLocal]),
}

const inside: Facts['inside'] =
  'value' in healthy.inside && healthy.inside.value !== undefined
    ? { value: { ...healthy.inside.value, sockets: [metadataSocket(METADATA)] } }
    : healthy.inside

const ipv6: Ipv6Facts = {
  fixedIp: { subnetId: subnet.id, ipAddress: ADDRESS },
  subnet,
  linkLocal,
  ways: [
    {
      kind: 'router',
      netns: 'qrouter-r',
      nextHop: ip('fe80::99'),
      listensOn: { address: ip('::'), port: 9697 },
      because: 'the router is up',
      inside: { value: undefined },
      visit: answered,
    },
    {
      kind: 'dhcp',
      netns: NETNS,
      nextHop: undefined,
      listensOn: { address: METADATA, port: 80 },
      because: 'it is isolated',
      inside,
      visit: answered,
    },
  ],
  own: new Set([dhcpPort.macAddress, ROUTER]),
  advertisers: new Set([ROUTER]),
  isLeased: false,
  heard: { value: heard },
}

/** IPv6 is all it has. */
const only: Facts = {
  ...healthy,
  inside,
  records: { ...healthy.records, port, fixedIp: port.fixedIps[0], subnet, found: [port] },
  path: {
    kind: 'router',
    netns: 'qrouter-r',
    nextHop: ip('fe80::99'),
    listensOn: { address: ip('::'), port: 9697 },
    because: 'the router is up',
    isDhcpServed: false,
  },
  offers: unknown,
  claims: unknown,
  way: unknown,
  ipv6,
}
const dual: Facts = { ...healthy, ipv6: { ...ipv6, fixedIp: { subnetId: subnet.id, ipAddress: ADDRESS } } }

const hears = (changes: Partial<LinkAnswers>): Ipv6Facts => ({ ...ipv6, heard: { value: { ...heard, ...changes } } })
const claims = (address: IpAddress, ...macs: MacAddress[]) =>
  hears({ claims: new Map([...heard.claims, [address, new Set(macs)]]) })
const withWay = (kind: 'dhcp' | 'router', visit: Ipv6Facts['ways'][number]['visit']): Ipv6Facts => ({
  ...ipv6,
  ways: ipv6.ways.map((way) => (way.kind === kind ? { ...way, visit } : way)),
})

interface Case {
  readonly fault: string
  readonly given: Ipv6Facts
  /** For a guest that has IPv6 alone, and for one that has IPv4 as well. */
  readonly severities: readonly [only: 'broken' | 'risk', dual: 'broken' | 'risk']
}

const [seen] = [healthy.inside].flatMap((known) => ('value' in known && known.value ? [known.value] : []))
/** The router's namespace, in which another program has the port. */
const taken = {
  value: seen && {
    ...seen,
    sockets: [{ protocol: 'tcp', address: ip('::'), port: 9697, owner: { pid: 7, arguments: ['nginx'] } }] as const,
  },
}

const cases: readonly Case[] = [
  { fault: 'radvd-silent', given: hears({ adverts: [] }), severities: ['risk', 'risk'] },
  {
    fault: 'radvd-silent',
    given: { ...hears({ adverts: [] }), ways: ipv6.ways.slice(0, 1) },
    severities: ['broken', 'risk'],
  },
  {
    fault: 'advert-wrong',
    given: hears({ adverts: heard.adverts.map((advert) => ({ ...advert, prefixes: [] })) }),
    severities: ['risk', 'risk'],
  },
  {
    fault: 'advert-stranger',
    given: hears({ adverts: heard.adverts.flatMap((advert) => [advert, { ...advert, mac: STRANGER }]) }),
    severities: ['risk', 'risk'],
  },
  { fault: 'dhcpv6-silent', given: { ...ipv6, isLeased: true }, severities: ['risk', 'risk'] },
  {
    fault: 'dhcpv6-wrong-address',
    given: {
      ...hears({ offers: [{ server: METADATA, mac: STRANGER, address: ip('fd00::77') }] }),
      isLeased: true,
    },
    severities: ['risk', 'risk'],
  },
  { fault: 'ipv6-address-taken', given: claims(ADDRESS, port.macAddress, STRANGER), severities: ['broken', 'risk'] },
  { fault: 'metadata-address-taken', given: claims(METADATA, STRANGER), severities: ['broken', 'risk'] },
  {
    fault: 'guest-without-ipv6',
    given: hears({ guest: new Set(), claims: new Map() }),
    severities: ['broken', 'risk'],
  },
  { fault: 'guest-ipv6-address-unused', given: claims(ADDRESS), severities: ['risk', 'risk'] },
  {
    fault: 'request-fails',
    given: withWay('dhcp', { value: { outcome: 'refused', code: 'ECONNREFUSED' } }),
    severities: ['broken', 'risk'],
  },
]

it('who listens where a guest asks by IPv6 alone harms none that has IPv4', () => {
  const ways = ipv6.ways.map((way) => (way.kind === 'router' ? { ...way, inside: taken } : way))
  const { verdict, findings } = explain(BRIDGES, { ...dual, ipv6: { ...ipv6, ways } }, 'web-1')
  assert.deepEqual(
    findings.map(({ id, severity }) => [id, severity]),
    [['foreign-listener', 'risk']],
  )
  assert.equal(verdict, 'well')
})

describe('a guest that has IPv6 alone', () => {
  it('is well where nothing is wrong, and no way of IPv4 is missed', () => {
    const { verdict, sentence, findings, steps } = explain(BRIDGES, only, 'web-1')
    assert.deepEqual(findings, [])
    assert.deepEqual([verdict, sentence], ['well', 'web-1 gets its metadata by router.'])
    assert.deepEqual(
      steps.filter(({ state }) => state === 'unknown'),
      [],
    )
  })

  for (const { fault, given, severities } of cases)
    it(`suffers from ${fault}, ${severities[0]}; with IPv4 as well, ${severities[1]}`, () => {
      for (const [i, facts] of [only, dual].entries()) {
        const { findings, verdict } = explain(BRIDGES, { ...facts, ipv6: given }, 'web-1')
        assert.deepEqual([findings[0]?.id, findings[0]?.severity], [fault, severities[i]])
        assert.equal(verdict, severities[i] === 'broken' ? 'broken' : 'well')
      }
    })

  it('is harmed by what IPv6 lacks in a namespace, and not by what IPv4 does', () => {
    const missing = (address: string): Facts['steps'] => ({
      value: [{ where: NETNS, command: { kind: 'address-add', netns: NETNS, device: 'd', address }, why: 'missing' }],
    })
    const severityOf = (facts: Facts, address: string) =>
      explain(BRIDGES, { ...facts, steps: missing(address) }, 'web-1').findings[0]?.severity
    assert.deepEqual(
      [only, dual].map((facts) => [severityOf(facts, `${METADATA}/64`), severityOf(facts, '169.254.169.254/32')]),
      [
        ['broken', 'risk'],
        ['risk', 'broken'],
      ],
    )
  })
})

const ADDRESS_4 = '10.0.0.11' as IpAddress

describe('of several ports', () => {
  const well = explain(BRIDGES, healthy, 'web-1')
  const risky = explain(BRIDGES, { ...dual, ipv6: claims(ADDRESS) }, 'web-1')
  const broken = explain(BRIDGES, { ...only, ipv6: claims(METADATA, STRANGER) }, 'web-1')
  const dark = explain(BRIDGES, { ...healthy, agent: unknown }, 'web-1')
  for (const { all, spoken } of [
    { all: [broken, dark], spoken: broken },
    { all: [dark, risky], spoken: risky },
    { all: [well, risky], spoken: risky },
    { all: [well], spoken: well },
  ])
    it(`${all.map(({ verdict }) => verdict).join(', ')}: ${spoken.verdict} is what is said`, () => {
      const ports = all.map((explanation, i) => ({ at: `10.0.${i}.11`, explanation }))
      assert.equal(explainServer('web-1', ports), spoken)
    })

  it('one that is well is enough, and what is broken at another is a risk', () => {
    const cut = explain(BRIDGES, { ...healthy, claims: { value: new Map([[ADDRESS_4, new Set()]]) } }, 'web-1 at b')
    assert.deepEqual([cut.verdict, cut.findings[0]?.id], ['broken', 'guest-no-lease'])
    const said = explainServer('web-1', [
      { at: '10.1.0.5', explanation: cut },
      { at: '10.0.0.11', explanation: well },
    ])
    assert.equal(said?.verdict, 'well')
    assert.equal(
      said?.sentence,
      'web-1 gets its metadata by its port at 10.0.0.11, but not by the one at 10.1.0.5: nobody answers for 10.0.0.11 [guest-no-lease].',
    )
    assert.deepEqual(
      said?.findings.map(({ id, severity, observed }) => [id, severity, observed]),
      [['guest-no-lease', 'risk', '10.1.0.5: nobody answers for 10.0.0.11']],
    )
    assert.deepEqual(said?.steps, well.steps)
  })
})
