import { boolean, ifPresent, integer, map, optional, reference, set, table, text } from '../../ovsdb/ovsdb.ts'

/** The part of OVN's databases that networks, ports and routers take. */

/** In external_ids of every row of ours: our mark. Rows of others are left alone. */
export const OWNER_KEY = 'firstboot'
/** In external_ids of our rows without a name: which of them it is. */
export const ROW_KEY = 'firstboot:row'

type Marked = { readonly external_ids: ReadonlyMap<string, string> }

const byOwner = ({ external_ids }: Marked) => external_ids.get(OWNER_KEY)
const byName = ({ name }: { readonly name: string }) => name

export const DHCP_OPTIONS = table(
  'DHCP_Options',
  { cidr: text, options: map(text, text), external_ids: map(text, text) },
  { indexes: { byOwner } },
)

export const LOGICAL_SWITCH = table(
  'Logical_Switch',
  {
    name: text,
    ports: set(reference),
    dns_records: set(reference),
    other_config: map(text, text),
    external_ids: map(text, text),
  },
  { indexes: { byOwner, byName } },
)

export const DNS = table('DNS', { records: map(text, text), external_ids: map(text, text) }, { indexes: { byOwner } })

export const LOGICAL_SWITCH_PORT = table(
  'Logical_Switch_Port',
  {
    name: text,
    type: text,
    addresses: set(text),
    port_security: set(text),
    enabled: optional(boolean),
    options: map(text, text),
    dhcpv4_options: optional(reference),
    dhcpv6_options: optional(reference),
    external_ids: map(text, text),
  },
  { indexes: { byOwner, byName } },
)

export const LOGICAL_ROUTER = table(
  'Logical_Router',
  {
    name: text,
    enabled: optional(boolean),
    ports: set(reference),
    static_routes: set(reference),
    nat: set(reference),
    options: map(text, text),
    external_ids: map(text, text),
  },
  { indexes: { byOwner, byName } },
)

export const LOGICAL_ROUTER_PORT = table(
  'Logical_Router_Port',
  {
    name: text,
    mac: text,
    networks: set(text),
    gateway_chassis: set(reference),
    options: map(text, text),
    ipv6_ra_configs: map(text, text),
    external_ids: map(text, text),
  },
  { indexes: { byOwner, byName } },
)

export const GATEWAY_CHASSIS = table(
  'Gateway_Chassis',
  { name: text, chassis_name: text, priority: integer, external_ids: map(text, text) },
  { indexes: { byOwner, byName } },
)

export const STATIC_ROUTE = table(
  'Logical_Router_Static_Route',
  { ip_prefix: text, nexthop: text, external_ids: map(text, text) },
  { indexes: { byOwner } },
)

export const NAT = table(
  'NAT',
  {
    type: text,
    external_ip: text,
    logical_ip: text,
    logical_port: optional(text),
    external_mac: optional(text),
    options: map(text, text),
    external_ids: map(text, text),
  },
  { indexes: { byOwner } },
)

/** What is written. */
export const NORTHBOUND_TABLES = [
  DHCP_OPTIONS,
  LOGICAL_SWITCH,
  DNS,
  LOGICAL_SWITCH_PORT,
  LOGICAL_ROUTER,
  LOGICAL_ROUTER_PORT,
  GATEWAY_CHASSIS,
  STATIC_ROUTE,
  NAT,
]

/** In the Southbound: what ovn-controller says of its host. `other_config` is not in databases before OVN 20.03. */
export const CHASSIS_TABLE = table('Chassis', {
  name: text,
  other_config: ifPresent(map(text, text)),
  external_ids: map(text, text),
})
