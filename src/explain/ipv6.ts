import type { Known } from '../host/examine/known.ts'
import type { NamespaceFacts } from '../host/examine/namespace.ts'
import type { Command } from '../host/host.ts'
import type { LinkAnswers } from '../host/probe/link-questions-ipv6.ts'
import type { Answered } from '../host/probe/visitor.ts'
import { type IpAddress, type IpVersion, ipVersion, type MacAddress } from '../inventory/records/address.ts'
import type { FixedIp } from '../inventory/records/port.ts'
import type { Subnet } from '../inventory/records/subnet.ts'
import type { Facts, PathFacts } from './facts.ts'
import type { Severity, Spot } from './fault.ts'

/** What a guest with an IPv6 address gets by it. */
export interface Ipv6Facts {
  readonly fixedIp: FixedIp
  readonly subnet: Subnet
  /** What it makes of its MAC address (EUI-64), and is known by. */
  readonly linkLocal: IpAddress
  /** Who is to answer at fe80::a9fe:a9fe: a guest that obeys advertised routes asks the router, another whoever has it on its link. */
  readonly ways: readonly Ipv6Way[]
  /** Devices of ours on the network. */
  readonly own: ReadonlySet<MacAddress>
  /** Those of routers that are to advertise the subnet. */
  readonly advertisers: ReadonlySet<MacAddress>
  readonly isLeased: boolean
  /** What routers, DHCPv6 servers, the guest and its neighbours say. */
  readonly heard: Known<LinkAnswers>
}

export interface Ipv6Way extends Pick<PathFacts, 'listensOn' | 'because'> {
  readonly kind: 'dhcp' | 'router'
  readonly netns: string
  /** The router's link-local address; undefined: it is asked on the link. */
  readonly nextHop: IpAddress | undefined
  /** undefined: it is not there. */
  readonly inside: Known<NamespaceFacts | undefined>
  /** A request on the guest's network. */
  readonly visit: Known<Answered>
}

/** The family by which a guest asks before all: IPv4 where it has that. */
export function mainFamily({ records: { fixedIp } }: Pick<Facts, 'records'>): IpVersion {
  return fixedIp === undefined ? 4 : ipVersion(fixedIp.ipAddress)
}

/** Of what goes wrong by one family, a guest that asks by the other as well takes no harm. */
export function severityOf(facts: Pick<Facts, 'records'>, family: IpVersion | undefined): Severity {
  return family === undefined || family === mainFamily(facts) ? 'broken' : 'risk'
}

/** As IPv6 has it: a guest with IPv4 takes no harm. */
export function byIpv6(facts: Pick<Facts, 'records'>, observed: string): Spot {
  return { observed, severity: severityOf(facts, 6) }
}

/** A namespace that is to answer. */
export interface Place extends Pick<Ipv6Way, 'netns' | 'inside' | 'listensOn'> {
  /** What the guest takes when it does not. */
  readonly severity: Severity
}

/** The namespaces that are to answer this guest, each once. */
export function placesOf(facts: Facts): readonly Place[] {
  const { path, inside, ipv6 } = facts
  const { netns, listensOn } = path
  const more = (ipv6?.ways ?? []).filter((way) => way.netns !== netns)
  return [
    ...(netns === undefined ? [] : [{ netns, inside, listensOn, severity: 'broken' as const }]),
    ...more.map((way) => ({ ...way, severity: severityOf(facts, 6) })),
  ]
}

/** Whom a command of the datapath concerns; undefined: everybody. */
export function familyOfCommand(command: Command): IpVersion | undefined {
  switch (command.kind) {
    case 'address-add':
      return command.address.includes(':') ? 6 : 4
    case 'route-set':
      return ipVersion(command.route.destination)
    case 'listener-open':
      // In a router one socket is for both.
      return command.listener.address === '::' ? undefined : ipVersion(command.listener.address)
    case 'program-start':
      return command.program.kind === 'radvd' ? 6 : undefined
    default:
      return undefined
  }
}

/** A request that was sent where the guest would send it. */
export interface Visited extends Pick<Ipv6Way, 'netns' | 'inside' | 'visit'> {
  /** How it is told from the others: empty, or `by IPv6 over the router: `. */
  readonly by: string
  /** What the guest takes when it fails. */
  readonly severity: Severity
}

/** Every way the guest may ask, each tried once. */
export function visitsOf(facts: Facts): readonly Visited[] {
  const { path, inside, visit, ipv6 } = facts
  const first = { netns: path.netns ?? '', inside, visit, by: '', severity: 'broken' } as const
  const ways = (ipv6?.ways ?? []).map((way) => ({
    ...way,
    by: `by IPv6 ${way.kind === 'router' ? 'over the router' : 'on the link'}: `,
    severity: severityOf(facts, 6),
  }))
  return mainFamily(facts) === 4 || ways.length === 0 ? [first, ...ways] : ways
}
