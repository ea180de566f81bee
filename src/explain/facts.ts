import type { Known } from '../host/examine/known.ts'
import type { ListeningSocket } from '../host/examine/listening.ts'
import type { NamespaceFacts } from '../host/examine/namespace.ts'
import type { Command } from '../host/host.ts'
import type { Offer } from '../host/probe/frames.ts'
import type { GuestWay } from '../host/probe/link-questions.ts'
import type { Answered } from '../host/probe/visitor.ts'
import type { IpAddress, MacAddress } from '../inventory/records/address.ts'
import type { Network } from '../inventory/records/network.ts'
import type { FixedIp, Port } from '../inventory/records/port.ts'
import type { Router } from '../inventory/records/router.ts'
import type { Server } from '../inventory/records/server.ts'
import type { Subnet } from '../inventory/records/subnet.ts'
import type { Finding } from '../lint/finding.ts'
import type { Ipv6Facts } from './ipv6.ts'

/** absent: there is none of it on this way, which is as it should be, and why. */
export type KnownHere<T> = Known<T> | { readonly absent: string }

/** Everything one explanation goes by: read once, then judged without looking again. No secret is in it. */
export interface Facts {
  /** Milliseconds since 1970. */
  readonly now: number
  /** How many times as long as on an idle machine everything takes here now: nobody is called slow for that. */
  readonly slowdown: number
  readonly records: RecordFacts
  readonly path: PathFacts
  readonly host: HostFacts
  /** What the datapath would do now where this guest's packets go. unknown: nobody may look there. */
  readonly steps: Known<readonly PlannedStep[]>
  readonly plug: Known<PlugFacts>
  /** Of the namespace that is to answer; undefined: it is not there. */
  readonly inside: Known<NamespaceFacts | undefined>
  /** What DHCP offers this guest, by whoever offers something. */
  readonly offers: Known<readonly Offer[]>
  /** A request on the guest's network, from an address that nobody has. */
  readonly visit: Known<Answered>
  /** Who answers for the guest's address, and for the one it sends to. */
  readonly claims: Known<ReadonlyMap<IpAddress, ReadonlySet<MacAddress>>>
  readonly way: Known<GuestWay>
  /** Absent: the guest has no IPv6 address, or nothing is asked by it (OVN). What is said above is of IPv4, and for a guest
   *  without it nobody was asked; its path, namespace and visit are those of IPv6. */
  readonly ipv6?: Ipv6Facts | undefined
  /** The metadata agent, asked in the guest's name over its socket. */
  readonly agent: Known<AgentFacts>
  /** The metadata API of its own, when the agent has one. */
  readonly api: KnownHere<ApiFacts>
  readonly database: KnownHere<DatabaseFacts>
  readonly documents: KnownHere<DocumentFacts>
  readonly vendorData: KnownHere<readonly TargetFacts[]>
  readonly requests: Known<RequestFacts>
  readonly lease: Known<{ readonly endsAt: number | undefined }>
  readonly drive: KnownHere<{ readonly stale: readonly string[] | undefined }>
}

export interface RecordFacts {
  /** Of a cloud of others, what its port says of it. */
  readonly server: Pick<Server, 'id' | 'name'> | undefined
  /** Whose way is explained. */
  readonly port: Port | undefined
  /** Of IPv4 where the port has one. */
  readonly fixedIp: FixedIp | undefined
  readonly network: Network | undefined
  readonly subnet: Subnet | undefined
  /** In OVN the metadata port. */
  readonly dhcpPort: Port | undefined
  /** Those with an interface in the subnet. */
  readonly routers: readonly { readonly router: Router; readonly port: Port; readonly address: IpAddress }[]
  /** The port that has the subnet's gateway address. */
  readonly gatewayHolder: Port | undefined
  /** Ports that the agent would find for the guest's address where it asks: one is right. */
  readonly found: readonly Pick<Port, 'id'>[]
}

/** Where this guest is sent with what it asks 169.254.169.254. */
export interface PathFacts {
  readonly kind: 'dhcp' | 'router' | 'ovn' | 'none'
  /** The namespace that is to answer. */
  readonly netns: string | undefined
  /** What the guest is told to send to. */
  readonly nextHop: IpAddress | undefined
  /** Where the proxy's socket is. */
  readonly listensOn: { readonly address: IpAddress; readonly port: number } | undefined
  readonly because: string
  /** The subnet's leases come from here. */
  readonly isDhcpServed: boolean
}

export interface PlannedStep {
  /** The namespace or the bridge. */
  readonly where: string
  readonly command: Command
  readonly why: string
}

export interface HostFacts {
  /** The process that has the lock of the state directory. */
  readonly holder: number | undefined
  /** Daemons of ours on this state directory, by command. */
  readonly daemons: readonly { readonly command: string; readonly pid: number }[]
  /** Whether the datapath's daemon answers its operator; undefined: none runs. */
  readonly answersOperator: boolean | undefined
  /** What it tries in vain. */
  readonly troubles: readonly { readonly where: string; readonly what: string; readonly message: string }[]
  readonly freeBytes: Known<number>
  /** Open files of those who serve. */
  readonly descriptors: readonly Descriptors[]
  /** When the youngest file of the state directory was written, milliseconds since 1970. */
  readonly newest: number | undefined
}

export interface Descriptors {
  readonly pid: number
  readonly command: string
  readonly open: number
  readonly limit: number
}

/** How the guest's port is plugged in on this host. */
export interface PlugFacts {
  readonly bridge: { readonly name: string; readonly mtu: number; readonly isUp: boolean } | undefined
  /** The guest's device by the field's name of it. */
  readonly tap:
    | { readonly name: string; readonly bridge: string | undefined; readonly mtu: number; readonly isUp: boolean }
    | undefined
  /** The device behind which the bridge has heard the guest's MAC address. */
  readonly heardOn: string | undefined
  /** Bridged packets that somebody drops on the way: `bridge filter`. */
  readonly bridgeTables: readonly string[]
}

export interface AgentFacts {
  readonly socket: string
  /** Guests' requests pass through it; otherwise it is there for others, and the agent is a function of the proxy. */
  readonly isHop: boolean
  readonly state: 'connects' | 'missing' | 'dead' | 'forbidden'
  /** undefined: it is not connected to. */
  readonly reply: ReplyFacts | undefined
}

export interface ReplyFacts {
  /** undefined: nothing was answered in time. */
  readonly status: number | undefined
  readonly milliseconds: number
  /** Whose document it was, as far as it says. */
  readonly uuid: string | undefined
}

export interface ApiFacts {
  readonly where: string
  /** undefined: it cannot be connected to. */
  readonly reply: ReplyFacts | undefined
  /** Its clock less ours, milliseconds. */
  readonly skew: number | undefined
}

export interface DatabaseFacts {
  readonly path: string
  /** Why it cannot be written now. */
  readonly problem: string | undefined
}

export interface DocumentFacts {
  /** Documents that cannot be drawn: `/openstack/latest/meta_data.json: ...`. */
  readonly broken: readonly string[]
  readonly findings: readonly Finding[]
}

export interface TargetFacts {
  readonly target: string
  readonly url: string
  readonly milliseconds: number
  /** null: it answered. */
  readonly error: string | null
}

/** What the flight recorder has of this guest. */
export interface RequestFacts {
  readonly last: { readonly at: string; readonly path: string; readonly status: number } | undefined
  readonly count: number
  /** Which clients it was recognised by: `cloud-init 24.1`. */
  readonly clients: readonly string[]
  /** Addresses from which somebody asked where this guest would, and whom nobody knows. */
  readonly strangers: readonly IpAddress[]
}

/** Whether a socket is held by one of ours. */
export function isOurs(owner: ListeningSocket['owner']): boolean {
  const args = owner?.arguments ?? []
  return args.slice(0, 4).some((each) => /(^|\/)(firstboot(\.js)?|haproxy)$/.test(each))
}
