import type { AnyTable, NamedUuid, Uuid } from '../../ovsdb/ovsdb.ts'
import type { Northbound } from '../ovn/northbound.ts'
import type { Held } from '../ovn/rows.ts'
import {
  DHCP_OPTIONS,
  DNS,
  GATEWAY_CHASSIS,
  LOGICAL_ROUTER,
  LOGICAL_ROUTER_PORT,
  LOGICAL_SWITCH,
  LOGICAL_SWITCH_PORT,
  NAT,
  ROW_KEY,
  STATIC_ROUTE,
} from './tables.ts'

export type Reference = Uuid | NamedUuid
type Ids = { readonly external_ids: ReadonlyMap<string, string> }
export type Columns = Readonly<Record<string, unknown>> & Ids
export type Row = Columns & { readonly _uuid: Uuid }

/** What has to be there of one table. */
export interface Wanted {
  readonly table: AnyTable
  /** Tells rows of ours apart. */
  readonly keyOf: (row: Row) => string
  readonly rows: ReadonlyMap<string, Columns>
  /** Rows of others stand alone. */
  readonly within?: Holding & {
    readonly on: (key: string) => string
    /** Rows outlive what holds them, until they are removed. */
    readonly isWeak?: boolean
  }
}

/** What holds rows of a table. */
export interface Holding {
  readonly table: AnyTable
  readonly column: string
}

const nameOf = (row: Row) => String(row['name'])
const keyWritten = ({ external_ids }: Row) => external_ids.get(ROW_KEY) ?? ''

/**
 * Every table with what is wanted of it, those that refer to others after them: each is asked for when the ones before are
 * known. Without our mark.
 * @param refer  to a row of a table that came before
 */
export function wantedTables(
  wanted: Northbound,
  refer: (table: AnyTable, key: string) => Reference | undefined,
): readonly (() => Wanted)[] {
  const dhcp = (subnet: string | undefined) => (subnet === undefined ? undefined : refer(DHCP_OPTIONS, subnet))
  return [
    () => ({
      table: DHCP_OPTIONS,
      keyOf: ({ external_ids }) => external_ids.get('subnet_id') ?? '',
      rows: mapValues(wanted.dhcp, (values) => ({ ...values })),
    }),
    () => ({ table: LOGICAL_SWITCH, keyOf: nameOf, rows: mapValues(wanted.switches, withName) }),
    () => ({
      table: DNS,
      keyOf: ({ external_ids }) => external_ids.get('ls_name') ?? '',
      rows: mapValues(wanted.dns, ({ columns }) => ({ ...columns })),
      within: { table: LOGICAL_SWITCH, column: 'dns_records', on: holderIn(wanted.dns), isWeak: true },
    }),
    () => ({
      table: LOGICAL_SWITCH_PORT,
      keyOf: nameOf,
      rows: mapValues(wanted.ports, ({ columns, dhcpv4, dhcpv6 }, name) => ({
        name,
        ...columns,
        dhcpv4_options: dhcp(dhcpv4),
        dhcpv6_options: dhcp(dhcpv6),
      })),
      within: { table: LOGICAL_SWITCH, column: 'ports', on: holderIn(wanted.ports) },
    }),
    () => ({ table: LOGICAL_ROUTER, keyOf: nameOf, rows: mapValues(wanted.routers, withName) }),
    () => ({
      table: LOGICAL_ROUTER_PORT,
      keyOf: nameOf,
      rows: mapValues(wanted.routerPorts, ({ columns }, name) => withName(columns, name)),
      within: { table: LOGICAL_ROUTER, column: 'ports', on: holderIn(wanted.routerPorts) },
    }),
    () => ({
      table: GATEWAY_CHASSIS,
      keyOf: nameOf,
      rows: mapValues(wanted.gatewayChassis, ({ columns }, name) => withName(columns, name)),
      within: { table: LOGICAL_ROUTER_PORT, column: 'gateway_chassis', on: holderIn(wanted.gatewayChassis) },
    }),
    () => ({
      table: STATIC_ROUTE,
      keyOf: keyWritten,
      rows: mapValues(wanted.routes, ({ columns }, key) => withKey(columns, key)),
      within: { table: LOGICAL_ROUTER, column: 'static_routes', on: holderIn(wanted.routes) },
    }),
    () => ({
      table: NAT,
      keyOf: keyWritten,
      rows: mapValues(wanted.translations, ({ columns }, key) => withKey(columns, key)),
      within: { table: LOGICAL_ROUTER, column: 'nat', on: holderIn(wanted.translations) },
    }),
  ]
}

function holderIn(rows: ReadonlyMap<string, Held<unknown>>): (key: string) => string {
  return (key) => rows.get(key)?.on ?? ''
}

function withName(columns: Ids, name: string): Columns {
  return { name, ...columns }
}

function withKey(columns: Ids, key: string): Columns {
  return { ...columns, external_ids: new Map([...columns.external_ids, [ROW_KEY, key]]) }
}

function mapValues<V>(
  map: ReadonlyMap<string, V>,
  draw: (value: V, key: string) => Columns,
): ReadonlyMap<string, Columns> {
  return new Map(Array.from(map, ([key, value]) => [key, draw(value, key)]))
}
