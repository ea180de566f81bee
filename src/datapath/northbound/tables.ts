import { boolean, map, optional, reference, set, table, text } from '../../ovsdb/ovsdb.ts'

/** The part of OVN's Northbound database that networks, ports and routers take. */

/** In external_ids of every row of ours: our mark. Rows of others are left alone. */
export const OWNER_KEY = 'firstboot'

type Marked = { readonly external_ids: ReadonlyMap<string, string> }

const byOwner = ({ external_ids }: Marked) => external_ids.get(OWNER_KEY)

export const DHCP_OPTIONS = table(
  'DHCP_Options',
  { cidr: text, options: map(text, text), external_ids: map(text, text) },
  { indexes: { byOwner } },
)

export const LOGICAL_SWITCH = table(
  'Logical_Switch',
  { name: text, ports: set(reference), external_ids: map(text, text) },
  { indexes: { byOwner, byName: (row) => row.name } },
)

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
  { indexes: { byOwner, byName: (row) => row.name } },
)

export const LOGICAL_ROUTER = table(
  'Logical_Router',
  { name: text, enabled: optional(boolean), ports: set(reference), external_ids: map(text, text) },
  { indexes: { byOwner, byName: (row) => row.name } },
)

export const LOGICAL_ROUTER_PORT = table(
  'Logical_Router_Port',
  { name: text, mac: text, networks: set(text), ipv6_ra_configs: map(text, text), external_ids: map(text, text) },
  { indexes: { byOwner, byName: (row) => row.name } },
)

export const NORTHBOUND_TABLES = [
  DHCP_OPTIONS,
  LOGICAL_SWITCH,
  LOGICAL_SWITCH_PORT,
  LOGICAL_ROUTER,
  LOGICAL_ROUTER_PORT,
]
