import type { DesiredAt } from '../../datapath/desired.ts'
import { DHCP_PREFIX } from '../../datapath/dhcp/namespace.ts'
import { METADATA_IPV4, METADATA_PORT } from '../../datapath/metadata-address.ts'
import { FIREWALL_PREFIXES, SYSCTLS } from '../../datapath/namespaces.ts'
import { planNamespace } from '../../datapath/plan.ts'
import { type Facts, isOurs, type PathFacts, type PlannedStep, type RecordFacts } from '../../explain/facts.ts'
import type { Ipv6Facts } from '../../explain/ipv6.ts'
import { type Known, known } from '../../host/examine/known.ts'
import { examineNamespace, type NamespaceFacts } from '../../host/examine/namespace.ts'
import { netnsPath } from '../../host/netns.ts'
import { offersTo, wayOf, whoHas } from '../../host/probe/link-questions.ts'
import { openVisitor } from '../../host/probe/visitor.ts'
import { patience } from '../../host/slowdown.ts'
import {
  type Cidr,
  fromNumber,
  type IpAddress,
  lastAddress,
  networkAddress,
  prefixLength,
  toNumber,
} from '../../inventory/records/address.ts'
import type { Port } from '../../inventory/records/port.ts'
import { attempted } from './attempted.ts'
import { type Ipv6Question, ipv6Facts } from './ipv6.ts'
import { plugOf } from './plug.ts'

type Records = Omit<RecordFacts, 'found'>

export interface NetworkQuestion {
  readonly records: Records
  readonly path: PathFacts
  readonly desired: DesiredAt
  /** Of the port's network. */
  readonly ports: readonly Port[]
  /** undefined: the guest has no IPv6 address. */
  readonly ipv6: Ipv6Question | undefined
  /** Absolute, without links. */
  readonly statePath: string
}

type NetworkFacts = Pick<Facts, 'steps' | 'plug' | 'inside' | 'offers' | 'visit' | 'claims' | 'way' | 'ipv6'>

/** Looks at this host's network, and asks on the guest's. Changes nothing that stays. */
export async function networkFacts(question: NetworkQuestion): Promise<NetworkFacts> {
  const { records, path, ipv6 } = question
  const dhcpNetns = `${DHCP_PREFIX}${records.network?.id}`
  const names = [path.netns, ...(ipv6?.ways ?? []).map(({ netns }) => netns), path.isDhcpServed ? dhcpNetns : undefined]
  const seen = new Map<string, Known<NamespaceFacts | undefined>>()
  for (const name of new Set(names.filter((each) => each !== undefined))) seen.set(name, await insideOf(question, name))
  const inside = (path.netns && seen.get(path.netns)) || NO_NAMESPACE
  const plug = known('the bridge', () => plugOf(records))
  const bridge = 'value' in plug ? plug.value.bridge?.name : undefined
  const tap = 'value' in plug ? (plug.value.tap?.name ?? plug.value.heardOn) : undefined
  const [answers, byIpv6] = await Promise.all([
    bridge === undefined
      ? NOBODY_TO_ASK
      : asked({
          ...question,
          bridge,
          tap,
          inside: 'value' in inside ? inside.value : undefined,
        }),
    ipv6 && ipv6Facts({ ...ipv6, bridge, isPlugged: tap !== undefined, mtu: records.network?.mtu ?? 1_500, seen }),
  ])
  const isMain = byIpv6 !== undefined && records.subnet?.ipVersion === 6
  return {
    inside,
    steps: stepsOf(question.desired, [...seen]),
    plug,
    ...answers,
    ...(isMain && { visit: mainVisit(byIpv6) }),
    ipv6: byIpv6,
  }
}

/** Of a guest without IPv4: the one that goes the way it goes first. */
function mainVisit({ ways: [way] }: Ipv6Facts): Facts['visit'] {
  return way?.visit ?? { unknown: 'the guest is sent nowhere' }
}

const NO_NAMESPACE = { value: undefined }
const NO_BRIDGE = { unknown: 'there is no bridge to ask on' }
const NOBODY_TO_ASK = { offers: NO_BRIDGE, visit: NO_BRIDGE, claims: NO_BRIDGE, way: NO_BRIDGE }

async function insideOf(
  { desired, statePath, path, ipv6 }: NetworkQuestion,
  name: string,
): Promise<Known<NamespaceFacts | undefined>> {
  return attempted(name, () =>
    examineNamespace({
      name,
      statePath,
      sysctls: SYSCTLS,
      hasFirewall: FIREWALL_PREFIXES.some((prefix) => name.startsWith(prefix)),
      ports: [67, METADATA_PORT, ...[path, ...(ipv6?.ways ?? [])].flatMap(({ listensOn }) => listensOn?.port ?? [])],
      listeners: desired.namespaces.get(name)?.listeners ?? [],
      isOurs,
    }),
  )
}

/** Whoever only looks cannot know what programs have read, or what is open that should not be. */
const NOT_JUDGED = new Set([
  'program-reload',
  'program-restart',
  'program-stop',
  'listener-close',
  'address-delete',
  'route-delete',
  'device-delete',
])

export function stepsOf(
  { namespaces }: DesiredAt,
  seen: readonly (readonly [string, Known<NamespaceFacts | undefined>])[],
): Known<readonly PlannedStep[]> {
  const steps: PlannedStep[] = []
  for (const [where, inside] of seen) {
    if ('unknown' in inside) return inside
    for (const { command, reason } of planNamespace(namespaces.get(where), inside.value?.observed))
      if (!NOT_JUDGED.has(command.kind)) steps.push({ where, command, why: reason })
  }
  return { value: steps }
}

interface Asking extends NetworkQuestion {
  readonly bridge: string
  readonly tap: string | undefined
  /** The namespace that is to answer; undefined: it is not there. */
  readonly inside: NamespaceFacts | undefined
}

const MILLISECONDS = { claims: 240, offers: 1_200, visit: 1_200, way: 600 } as const

async function asked(asking: Asking): Promise<Pick<Facts, 'offers' | 'visit' | 'claims' | 'way'>> {
  const { records, path, bridge } = asking
  const { port } = records
  const isIpv4 = records.subnet?.ipVersion === 4
  if (port === undefined || !isIpv4) {
    const why = { unknown: 'the port has no IPv4 address' }
    return { offers: why, visit: why, claims: why, way: why }
  }
  const [offers, way, [claims, visit]] = await Promise.all([
    path.isDhcpServed
      ? attempted('DHCP', () => offersTo(bridge, port.macAddress, patience(MILLISECONDS.offers)))
      : { unknown: 'the subnet has no DHCP here' },
    wayOfGuest(asking),
    claimsAndVisit(asking),
  ])
  return { offers, way, claims, visit }
}

async function claimsAndVisit(asking: Asking): Promise<[Facts['claims'], Facts['visit']]> {
  const { records, path, bridge, ports } = asking
  const { subnet, fixedIp } = records
  const free =
    subnet &&
    freeAddress(subnet.cidr, [
      ...ports.flatMap(({ fixedIps }) => fixedIps.map(({ ipAddress }) => ipAddress)),
      subnet.gatewayIp,
    ])
  const heard = asking.inside?.neighbours.filter(({ mac }) => mac === records.port?.macAddress) ?? []
  const all = [fixedIp?.ipAddress, path.nextHop, free, ...heard.map(({ address }) => address)]
  const wanted = [...new Set(all.filter((each) => each !== undefined))]
  const claims = await attempted('ARP', () => whoHas(bridge, wanted, patience(MILLISECONDS.claims)))
  if (path.nextHop === undefined || path.kind === 'none') return [claims, { unknown: 'the guest is sent nowhere' }]
  if (free === undefined || subnet === undefined)
    return [claims, { unknown: `no address of ${subnet?.cidr} is free to ask from` }]
  if ('value' in claims && (claims.value.get(free)?.size ?? 0) > 0)
    return [claims, { unknown: `somebody has taken ${free}, from which to ask` }]
  const gateway = path.nextHop
  const visit = await attempted('a request on the bridge', async () => {
    const visitor = openVisitor({
      bridge,
      mtu: records.network?.mtu ?? 1_500,
      address: `${free}/${prefixLength(subnet.cidr)}` as Cidr,
      metadata: { destination: `${METADATA_IPV4}/32` as Cidr, gateway },
    })
    try {
      return await visitor.ask(METADATA_IPV4, METADATA_PORT, '/openstack', patience(MILLISECONDS.visit))
    } finally {
      visitor.close()
    }
  })
  return [claims, visit]
}

async function wayOfGuest({ records, path, tap, inside }: Asking): Promise<Facts['way']> {
  const { port, fixedIp, dhcpPort, routers } = records
  if (tap === undefined) return { unknown: 'no device of the guest is on the bridge' }
  const router = routers.find(({ address }) => address === path.nextHop)
  const near = path.kind === 'router' ? router?.address : path.nextHop
  const [prefix, own] = path.kind === 'router' ? ['qr-', router?.port] : ['ns-', dhcpPort]
  if (inside === undefined || path.kind === 'none' || !port || !fixedIp || !own || !near || path.netns === undefined)
    return { unknown: 'there is no namespace to ask from' }
  const netns = path.netns
  return attempted('the guest', () =>
    wayOf(
      {
        tap,
        netnsPath: netnsPath(netns),
        device: `${prefix}${own.id.slice(0, 11)}`,
        guest: { mac: port.macAddress, address: fixedIp.ipAddress },
        near,
        metadata: METADATA_IPV4,
      },
      patience(MILLISECONDS.way),
    ),
  )
}

const MOST_CANDIDATES = 4_096n

/** One of the last of a range that no port has, another each time: two who ask at once must not meet. */
function freeAddress(cidr: Cidr, taken: readonly (IpAddress | null)[]): IpAddress | undefined {
  const [first, last] = [toNumber(networkAddress(cidr)) + 1n, toNumber(lastAddress(cidr)) - 1n]
  const used = new Set(taken)
  const start = last - first > MOST_CANDIDATES ? last - MOST_CANDIDATES : first
  const free: IpAddress[] = []
  for (let each = last; each >= start; each--) {
    const address = fromNumber(each, 4)
    if (!used.has(address)) free.push(address)
  }
  return free[Math.floor(Math.random() * free.length)]
}
