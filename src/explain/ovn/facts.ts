import type { Known } from '../../host/examine/known.ts'
import type { VethEnd } from '../../host/examine/veth-end.ts'
import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import type { Facts } from '../facts.ts'

/** What is known of a guest on OVN. Its records are the inventory's, or what the Southbound says where there is none. */
export interface OvnFacts extends Facts {
  readonly ovn: ChassisFacts
}

/** This host's part of OVN, as far as it matters to one guest. */
export interface ChassisFacts {
  /** The databases that the daemon goes by. */
  readonly databases: readonly DatabaseAccess[]
  /** Which of Open vSwitch's and OVN's own programs run on this host. */
  readonly programs: Known<ReadonlySet<string>>
  /** Whether somebody translates the Northbound. */
  readonly hasNorthd: Known<boolean>
  /** By so much nb_cfg of the Northbound had not come into the Southbound when we were done; 0 where the Northbound is not read. */
  readonly northdBehind: number
  readonly local: Known<SwitchFacts>
  readonly southbound: Known<SouthboundFacts>
  /** undefined: the namespace is not to be here. */
  readonly veth: Known<VethFacts | undefined>
  readonly traces: Known<Traces>
}

export interface DatabaseAccess {
  readonly name: 'Open_vSwitch' | 'OVN_Southbound' | 'OVN_Northbound'
  /** undefined: nobody says where it is. */
  readonly remote: string | undefined
  /** Why it could not be read just now; undefined: it could. */
  readonly problem: string | undefined
  /** Why the daemon does not have it; undefined: it has, or could not be asked. */
  readonly daemonProblem: string | undefined
}

/** What Open vSwitch's own database says. */
export interface SwitchFacts {
  /** By which OVN knows this host. */
  readonly systemId: string | undefined
  /** The integration bridge as it should be called. */
  readonly bridge: string
  readonly hasBridge: boolean
  /** The switch runs in userspace, and does not finish checksums. */
  readonly isUserspace: boolean
  /** Those that claim to be the guest's port. */
  readonly guest: readonly SwitchInterface[]
  /** Those that claim to be the metadata port. */
  readonly metadata: readonly SwitchInterface[]
}

export interface SwitchInterface {
  readonly name: string
  /** undefined: it is a port of no bridge. */
  readonly bridge: string | undefined
  /** Negative: it could not be made; undefined: the switch has not looked yet. */
  readonly ofport: number | undefined
  readonly error: string
  readonly mtu: number | undefined
  readonly isUp: boolean
}

/** What the Southbound says; chassis by name. */
export interface SouthboundFacts {
  /** Whether our chassis has a row. */
  readonly hasChassis: boolean
  /** ovn-controller had not followed `nb_cfg` when we began, nor had it when we were done: how far it is behind. */
  readonly behind: number
  /** undefined: there is no such port. */
  readonly binding: BindingFacts | undefined
  /** On the guest's network. */
  readonly metadataPorts: readonly MetadataPort[]
}

export interface BindingFacts {
  readonly logicalPort: string
  readonly type: string
  /** Where it is bound; several when it changed while we looked. */
  readonly chassis: readonly string[]
  readonly requested: string | undefined
  readonly additional: readonly string[]
  /** undefined: the database is of before OVN 21.03, and does not say. */
  readonly isUp: boolean | undefined
}

export interface MetadataPort {
  readonly logicalPort: string
  readonly mac: MacAddress | undefined
  /** `address/prefix` */
  readonly cidrs: readonly string[]
}

/** The pair of devices between namespace and switch. */
export interface VethFacts {
  /** As they should be. */
  readonly inner: string
  readonly outer: string
  readonly ifaceId: string
  readonly mtu: number
  /** Those of the two that are there. */
  readonly ends: readonly VethEnd[]
}

/** What OVN's flows make of packets of this guest, as ovn-trace tells. Its question is that to 169.254.169.254 where it has an
 *  IPv4 address, by which every client asks; otherwise that to fe80::a9fe:a9fe. */
export interface Traces extends TracedQuestion {
  /** What DHCP offers; undefined: nothing. A guest without IPv4 needs no lease to ask. */
  readonly offer: Known<TracedOffer | undefined>
  /** The question by IPv6 of a guest that can ask by IPv4 as well. Told and not judged: rules for IPv4 alone are no fault. */
  readonly besides: TracedQuestion | undefined
}

/** The guest's question to a metadata address, and the answer. */
export interface TracedQuestion {
  readonly address: IpAddress
  readonly request: Traced
  readonly answer: Traced
}

export interface TracedOffer {
  readonly address: string
  /** By destination. */
  readonly routes: ReadonlyMap<string, string>
  readonly router: string | undefined
}

export type Traced =
  | { readonly outcome: 'output'; readonly port: string }
  | { readonly outcome: 'drop' | 'lost'; readonly stage: string; readonly match: string; readonly priority: number }
