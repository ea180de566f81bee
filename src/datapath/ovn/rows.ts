import type { MacAddress } from '../../inventory/records/address.ts'

/** Rows of OVN's Northbound, of the columns that ML2/OVN writes. References are by name. */

export type Texts = ReadonlyMap<string, string>

/** A row that another one holds. */
export interface Held<Columns> {
  /** The key of its holder. */
  readonly on: string
  readonly columns: Columns
}

export interface SwitchColumns {
  readonly other_config: Texts
  readonly external_ids: Texts
}

/** For guests of a logical switch. */
export interface DnsColumns {
  /** Name to addresses, separated by blanks, or to a name. */
  readonly records: Texts
  readonly external_ids: Texts
}

/** On a logical switch. */
export interface LogicalPort extends Held<PortColumns> {
  /** Subnets whose DHCP options it is given. */
  readonly dhcpv4: string | undefined
  readonly dhcpv6: string | undefined
}

export interface PortColumns {
  readonly type: '' | 'localport' | 'localnet' | 'router'
  readonly addresses: readonly string[]
  readonly port_security: readonly string[]
  readonly enabled: boolean
  readonly options: Texts
  readonly external_ids: Texts
}

export interface RouterColumns {
  readonly enabled: boolean
  readonly options: Texts
  readonly external_ids: Texts
}

/** On a logical router. */
export interface RouterPortColumns {
  readonly mac: MacAddress
  /** `address/prefix`, host bits kept; at least one. */
  readonly networks: readonly string[]
  readonly options: Texts
  readonly ipv6_ra_configs: Texts
  readonly external_ids: Texts
}

/** On a router's gateway port. */
export interface GatewayChassisColumns {
  readonly chassis_name: string
  /** The highest that lives has the gateway. */
  readonly priority: number
  readonly external_ids: Texts
}

/** On a logical router. */
export interface RouteColumns {
  readonly ip_prefix: string
  readonly nexthop: string
  readonly external_ids: Texts
}

/** On a logical router. */
export interface NatColumns {
  readonly type: 'snat' | 'dnat_and_snat'
  readonly external_ip: string
  /** An address, or the range that is hidden behind the external one. */
  readonly logical_ip: string
  readonly logical_port: string | undefined
  /** Where it is translated on the chassis of `logical_port`: the MAC it has outside. */
  readonly external_mac: MacAddress | undefined
  readonly options: Texts
  readonly external_ids: Texts
}
