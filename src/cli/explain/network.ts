import { closeSync } from 'node:fs'
import type { DesiredAt } from '../../datapath/desired.ts'
import { DHCP_PREFIX } from '../../datapath/dhcp/namespace.ts'
import { METADATA_IPV4, METADATA_PORT } from '../../datapath/metadata-address.ts'
import { FIREWALL_PREFIXES, SYSCTLS } from '../../datapath/namespaces.ts'
import { planNamespace } from '../../datapath/plan.ts'
import {
  type Facts,
  isOurs,
  type PathFacts,
  type PlannedStep,
  type PlugFacts,
  type RecordFacts,
} from '../../explain/facts.ts'
import { type Known, known } from '../../host/examine/known.ts'
import { examineNamespace, linksOutside, type NamespaceFacts } from '../../host/examine/namespace.ts'
import { openNetlink } from '../../host/netlink.ts'
import { netnsPath } from '../../host/netns.ts'
import { foreignTables } from '../../host/nftables.ts'
import { offersTo, wayOf, whoHas } from '../../host/probe/link-questions.ts'
import { openVisitor } from '../../host/probe/visitor.ts'
import { readBridgeTable } from '../../host/rtnetlink.ts'
import {
  type Cidr,
  fromNumber,
  type IpAddress,
  lastAddress,
  networkAddress,
  prefixLength,
  toNumber,
} from '../../inventory/records/address.ts'
import { bridgeName } from '../../inventory/records/network.ts'
import { type Port, tapName } from '../../inventory/records/port.ts'

type Records = Omit<RecordFacts, 'found'>

export interface NetworkQuestion {
  readonly records: Records
  readonly path: PathFacts
  readonly desired: DesiredAt
  /** Of the port's network. */
  readonly ports: readonly Port[]
  /** Absolute, without links. */
  readonly statePath: string
}

type NetworkFacts = Pick<Facts, 'steps' | 'plug' | 'inside' | 'offers' | 'visit' | 'claims' | 'way'>

/** Looks at this host's network, and asks on the guest's. Changes nothing that stays. */
export async function networkFacts(question: NetworkQuestion): Promise<NetworkFacts> {
  const { records, path } = question
  const inside = await insideOf(question, path.netns)
  const dhcpNetns = `${DHCP_PREFIX}${records.network?.id}`
  const isSame = path.netns === dhcpNetns
  const dhcp = isSame || !path.isDhcpServed ? undefined : await insideOf(question, dhcpNetns)
  const seen: readonly (readonly [string, Known<NamespaceFacts | undefined>])[] = [
    ...(path.netns === undefined ? [] : [[path.netns, inside] as const]),
    ...(dhcp === undefined ? [] : [[dhcpNetns, dhcp] as const]),
  ]
  const plug = known('the bridge', () => plugOf(records))
  const bridge = 'value' in plug ? plug.value.bridge?.name : undefined
  return {
    inside,
    steps: stepsOf(question.desired, seen),
    plug,
    ...(bridge === undefined
      ? NOBODY_TO_ASK
      : await asked({
          ...question,
          bridge,
          tap: 'value' in plug ? (plug.value.tap?.name ?? plug.value.heardOn) : undefined,
          inside: 'value' in inside ? inside.value : undefined,
        })),
  }
}

const NO_BRIDGE = { unknown: 'there is no bridge to ask on' }
const NOBODY_TO_ASK = { offers: NO_BRIDGE, visit: NO_BRIDGE, claims: NO_BRIDGE, way: NO_BRIDGE }

async function insideOf(
  { desired, statePath, path }: NetworkQuestion,
  name: string | undefined,
): Promise<Known<NamespaceFacts | undefined>> {
  if (name === undefined) return { value: undefined }
  return attempted(name, () =>
    examineNamespace({
      name,
      statePath,
      sysctls: SYSCTLS,
      hasFirewall: FIREWALL_PREFIXES.some((prefix) => name.startsWith(prefix)),
      ports: [67, METADATA_PORT, ...(path.listensOn === undefined ? [] : [path.listensOn.port])],
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

function plugOf({ port, network }: Records): PlugFacts {
  const links = linksOutside()
  const all = [...links.values()]
  const called = (name: string | undefined) => all.find((link) => link.name === name)
  const bridge = called(network && bridgeName(network.id))
  const tap = called(port && tapName(port))
  const fd = openNetlink()
  try {
    const heard = readBridgeTable(fd).find(
      ({ mac, link }) => mac === port?.macAddress && links.get(link)?.master === bridge?.index,
    )
    return {
      bridge: bridge && { name: bridge.name, mtu: bridge.mtu, isUp: bridge.up },
      tap: tap && { name: tap.name, bridge: links.get(tap.master)?.name, mtu: tap.mtu, isUp: tap.up },
      heardOn: heard && links.get(heard.link)?.name,
      bridgeTables: foreignTables(),
    }
  } finally {
    closeSync(fd)
  }
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
    const why = { unknown: 'only IPv4 is tried out' }
    return { offers: why, visit: why, claims: why, way: why }
  }
  const [offers, way, [claims, visit]] = await Promise.all([
    path.isDhcpServed
      ? attempted('DHCP', () => offersTo(bridge, port.macAddress, MILLISECONDS.offers))
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
  const claims = await attempted('ARP', () => whoHas(bridge, wanted, MILLISECONDS.claims))
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
      return await visitor.ask(METADATA_IPV4, METADATA_PORT, '/openstack', MILLISECONDS.visit)
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
      MILLISECONDS.way,
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

export async function attempted<T>(what: string, attempt: () => Promise<T>): Promise<Known<T>> {
  try {
    return { value: await attempt() }
  } catch (error) {
    return { unknown: `${what}: ${error instanceof Error ? error.message : error}` }
  }
}
