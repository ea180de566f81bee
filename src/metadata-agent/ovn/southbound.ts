import { type IpAddress, type MacAddress, parseIpAddress, parseMacAddress } from '../../inventory/records/address.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import { ifPresent, integer, map, optional, reference, set, table, text, type Uuid } from '../../ovsdb/ovsdb.ts'

/** The part of OVN's Southbound database that metadata needs, as ML2/OVN fills it. */

/** An attachment to a logical switch. Found by network and address, or by network and MAC, of who may be asking. */
export const PORT_BINDING = table(
  'Port_Binding',
  {
    logical_port: text,
    type: text,
    datapath: reference,
    chassis: optional(reference),
    additional_chassis: ifPresent(set(reference)), // since OVN 22.06
    requested_chassis: ifPresent(optional(reference)), // since OVN 21.03
    requested_additional_chassis: ifPresent(set(reference)), // since OVN 22.06
    mac: set(text),
    external_ids: map(text, text),
  },
  {
    indexes: {
      byDatapath: (row) => row.datapath,
      /** Of guests: where they are, will be, or are moving to. */
      byChassis: (row) => (isGuestPort(row) ? chassisOf(row) : undefined),
      byAddress: (row) =>
        isGuestPort(row) ? fixedAddresses(row).map((it) => onDatapath(row.datapath, it)) : undefined,
      byMac: (row) => (isGuestPort(row) ? ownMacs(row).map((mac) => onDatapath(row.datapath, mac)) : undefined),
    },
  },
)

/** A logical switch or router. */
export const DATAPATH_BINDING = table(
  'Datapath_Binding',
  { external_ids: map(text, text) },
  { indexes: { byNetwork: (row) => networkIdOf(row) } },
)

export const CHASSIS = table(
  'Chassis',
  { name: text, external_ids: map(text, text) },
  { indexes: { byName: (row) => row.name } },
)

/** What a chassis may write of itself. Not in databases before OVN 20.09, where that is in `Chassis`. */
export const CHASSIS_PRIVATE = table(
  'Chassis_Private',
  { name: text, external_ids: map(text, text) },
  { indexes: { byName: (row) => row.name }, mayBeAbsent: true },
)

export const SB_GLOBAL = table('SB_Global', { nb_cfg: integer })

/** All that an agent reads. */
export const SOUTHBOUND_TABLES = [PORT_BINDING, DATAPATH_BINDING, CHASSIS, CHASSIS_PRIVATE, SB_GLOBAL]

type PortRow = {
  readonly type: string
  readonly mac: readonly string[]
  readonly external_ids: ReadonlyMap<string, string>
}

/** Types of ports behind which a guest can be. A `virtual` port's address is another port's, too. */
const GUEST_TYPES: ReadonlySet<string> = new Set(['', 'external'])

export function isGuestPort({ type }: Pick<PortRow, 'type'>): boolean {
  return GUEST_TYPES.has(type)
}

/** Every chassis that a port is bound to, to be bound to, migrating to, or to migrate to. */
export function chassisOf(row: {
  readonly chassis: Uuid | undefined
  readonly requested_chassis: Uuid | undefined
  readonly additional_chassis: readonly Uuid[] | undefined
  readonly requested_additional_chassis: readonly Uuid[] | undefined
}): readonly Uuid[] {
  const additional = [...(row.additional_chassis ?? []), ...(row.requested_additional_chassis ?? [])]
  return [row.chassis, row.requested_chassis, ...additional].filter((chassis) => chassis !== undefined)
}

export function onDatapath(datapath: string, address: IpAddress | MacAddress): string {
  return `${datapath} ${address}`
}

/** ML2/OVN names logical switches after networks. Undefined for routers and for switches of others. */
export function networkIdOf({
  external_ids,
}: {
  readonly external_ids: ReadonlyMap<string, string>
}): NetworkId | undefined {
  const name = external_ids.get('name')
  return name?.startsWith('neutron-') ? (name.slice('neutron-'.length) as NetworkId) : undefined
}

/**
 * The addresses that are the port's own. `mac` also has those of allowed address pairs, which a tenant sets as they like
 * and which several ports may share: they identify nobody. Where nothing says which are which, all of `mac` counts.
 */
export function fixedAddresses({ external_ids, mac }: Omit<PortRow, 'type'>): readonly IpAddress[] {
  const cidrs = external_ids.get('neutron:cidrs')
  if (cidrs === undefined) return mac.flatMap((member) => bindingOf(member).addresses)
  return words(cidrs).flatMap((cidr) => parseIpAddress(cidr.slice(0, Math.max(cidr.indexOf('/'), 0))) ?? [])
}

/** The MACs that come with the port's own addresses; all of them where it has none. */
export function ownMacs(row: Omit<PortRow, 'type'>): readonly MacAddress[] {
  const fixed = new Set(fixedAddresses(row))
  const bindings = row.mac.map(bindingOf)
  const own = bindings.filter(({ addresses }) => addresses.some((address) => fixed.has(address)))
  return [...new Set((own.length > 0 ? own : bindings).flatMap(({ mac }) => mac ?? []))]
}

/** A member of `mac`: `fa:16:3e:00:00:01 10.0.0.2 2001:db8::2`, or `unknown`, or `router`. */
function bindingOf(member: string): { readonly mac: MacAddress | undefined; readonly addresses: readonly IpAddress[] } {
  const [first = '', ...rest] = words(member)
  return { mac: parseMacAddress(first), addresses: rest.flatMap((word) => parseIpAddress(word) ?? []) }
}

export function words(value: string): readonly string[] {
  return value.split(' ').filter((word) => word !== '')
}
