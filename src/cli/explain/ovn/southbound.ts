import type { BindingFacts, MetadataPort, SouthboundFacts } from '../../../explain/ovn/facts.ts'
import { metadataMac, metadataPorts } from '../../../metadata-agent/ovn/local-networks.ts'
import { words } from '../../../metadata-agent/ovn/southbound.ts'
import type { OvsdbClient, Rows, Uuid } from '../../../ovsdb/ovsdb.ts'
import type { PortRow } from './subject.ts'
import { CHASSIS, CHASSIS_PRIVATE, NB_GLOBAL, PORT_BINDING, SB_GLOBAL } from './tables.ts'

/** Where a port is bound, from now on: two who claim it take it from each other. @returns what tells all it has seen */
export function watchBinding(southbound: OvsdbClient, port: PortRow | undefined): () => readonly Uuid[] {
  const seen = new Set<Uuid>()
  const look = () => {
    const row = port && southbound.get(PORT_BINDING, port._uuid)
    if (row?.chassis !== undefined) seen.add(row.chassis)
  }
  look()
  const end = southbound.onChanges(look)
  return () => {
    end()
    return [...seen]
  }
}

/** `nb_cfg` as everybody should have it. */
export function nbCfgOf(rows: Rows): number {
  return Array.from(rows.all(SB_GLOBAL))[0]?.nb_cfg ?? 0
}

/** @returns what tells how far SB_Global stays behind nb_cfg as the Northbound has it at this moment */
export function northdBehind(databases: {
  readonly northbound: Rows | undefined
  readonly southbound: Rows | undefined
}): () => number {
  const { northbound, southbound } = databases
  if (northbound === undefined || southbound === undefined) return () => 0
  const wanted = Array.from(northbound.all(NB_GLOBAL))[0]?.nb_cfg ?? 0
  return () => Math.max(0, wanted - nbCfgOf(southbound))
}

/** What the Southbound says of a port now. Pure.
 *  @param wasCfg  nb_cfg some time ago: time enough for our chassis to have followed it */
export function southboundFacts(
  rows: Rows,
  chassisName: string,
  port: PortRow | undefined,
  { wasCfg, bound }: { readonly wasCfg: number; readonly bound: readonly Uuid[] },
): SouthboundFacts {
  const [own] = rows.find(CHASSIS_PRIVATE, 'byName', chassisName)
  return {
    hasChassis: rows.find(CHASSIS, 'byName', chassisName).length > 0,
    behind: own === undefined ? 0 : Math.max(0, wasCfg - own.nb_cfg),
    binding: port && bindingOf(rows, port, bound),
    metadataPorts: port === undefined ? [] : metadataPortsOf(rows, port.datapath),
  }
}

function bindingOf(rows: Rows, port: PortRow, bound: readonly Uuid[]): BindingFacts {
  const {
    logical_port,
    type,
    up,
    requested_chassis,
    additional_chassis = [],
  } = rows.get(PORT_BINDING, port._uuid) ?? port
  const name = (chassis: Uuid) => rows.get(CHASSIS, chassis)?.name ?? `chassis ${chassis}`
  return {
    logicalPort: logical_port,
    type,
    chassis: bound.map(name),
    requested: requested_chassis && name(requested_chassis),
    additional: additional_chassis.map(name),
    isUp: up,
  }
}

/** The first is the one that is served. */
export function metadataPortsOf(rows: Rows, datapath: Uuid): readonly MetadataPort[] {
  return metadataPorts(rows.find(PORT_BINDING, 'byDatapath', datapath)).map((port) => ({
    logicalPort: port.logical_port,
    mac: metadataMac(port),
    cidrs: words(port.external_ids.get('neutron:cidrs') ?? ''),
  }))
}
