import type { IpAddress } from '../../inventory/records/address.ts'
import type { PortId } from '../../inventory/records/ids.ts'
import type { RecordSet } from '../../inventory/records/records.ts'
import type { DatapathRecords } from '../desired.ts'
import { gatherRouters } from '../router/gather.ts'
import type { DhcpValues } from './dhcp-options.ts'
import { portHostnames } from './dns-records.ts'
import { type GatewayCandidate, physicalNetwork } from './gateways.ts'
import { logicalRouter } from './logical-router.ts'
import { logicalSwitch } from './logical-switch.ts'
import type {
  DnsColumns,
  GatewayChassisColumns,
  Held,
  LogicalPort,
  NatColumns,
  RouteColumns,
  RouterColumns,
  RouterPortColumns,
  SwitchColumns,
} from './rows.ts'

/** What OVN's Northbound database has to say of the inventory, in ML2/OVN's conventions, by what tells rows of a table apart. */
export interface Northbound {
  /** By subnet. */
  readonly dhcp: ReadonlyMap<string, DhcpValues>
  readonly switches: ReadonlyMap<string, SwitchColumns>
  /** By switch. */
  readonly dns: ReadonlyMap<string, Held<DnsColumns>>
  readonly ports: ReadonlyMap<string, LogicalPort>
  readonly routers: ReadonlyMap<string, RouterColumns>
  readonly routerPorts: ReadonlyMap<string, Held<RouterPortColumns>>
  readonly gatewayChassis: ReadonlyMap<string, Held<GatewayChassisColumns>>
  /** By a key that is written into the row, as those of `translations`: such rows have no names. */
  readonly routes: ReadonlyMap<string, Held<RouteColumns>>
  readonly translations: ReadonlyMap<string, Held<NatColumns>>
}

export type NorthboundRecords = DatapathRecords & Pick<RecordSet, 'server'>

export interface NorthboundSettings {
  /** Of guests; empty for none. */
  readonly dnsDomain: string
  /** Translated on the chassis of their guests. */
  readonly distributedFloatingIps: boolean
}

/**
 * A logical switch for each network, a port on it for each port, DHCP options for each subnet with DHCP, a logical router for
 * each router. The inventory's DHCP port is the metadata port here: OVN gives DHCP itself, and what is left to be answered at
 * that address is metadata. Pure.
 * @param chassis  where gateways may be
 */
export function northbound(
  records: NorthboundRecords,
  chassis: readonly GatewayCandidate[],
  { dnsDomain, distributedFloatingIps }: NorthboundSettings,
): Northbound {
  const subnets = Map.groupBy(records.subnet.values(), ({ networkId }) => networkId)
  const ports = Map.groupBy(records.port.values(), ({ networkId }) => networkId)
  const gathered = routersOf(records)
  const floatingIps = new Map<PortId, IpAddress>(
    gathered.flatMap((each) =>
      each.floatingIps.flatMap(({ portId, address }) => (portId === null ? [] : [[portId, address] as const])),
    ),
  )
  const hostnames = portHostnames(records.server.values())
  const switches = [...records.network.values()].map((network) =>
    logicalSwitch({
      network,
      subnets: subnets.get(network.id) ?? [],
      ports: ports.get(network.id) ?? [],
      physical: physicalNetwork(network, chassis),
      floatingIps,
      hostnames,
      dnsDomain,
    }),
  )
  const routers = gathered.map((each) => logicalRouter(each, chassis, distributedFloatingIps))
  return {
    dhcp: new Map(switches.flatMap(({ dhcp }) => dhcp)),
    switches: new Map(switches.map(({ name, columns }) => [name, columns])),
    dns: new Map(
      switches.flatMap(({ name, dns }) =>
        dns.size === 0
          ? []
          : [[name, { on: name, columns: { records: dns, external_ids: new Map([['ls_name', name]]) } }]],
      ),
    ),
    ports: new Map([...switches.flatMap((each) => each.ports), ...routers.flatMap(({ switchPorts }) => switchPorts)]),
    routers: new Map(routers.map(({ name, columns }) => [name, columns])),
    routerPorts: new Map(routers.flatMap((each) => each.ports)),
    gatewayChassis: new Map(routers.flatMap((each) => each.gatewayChassis)),
    routes: new Map(routers.flatMap(({ routes }) => routes)),
    translations: new Map(routers.flatMap(({ translations }) => translations)),
  }
}

/** With what belongs to them. Former interfaces are for the router path: here guests ask by the metadata port. */
function routersOf(records: DatapathRecords) {
  const { routers } = gatherRouters(records, { dhcpLeaseDuration: 0 }, Number.POSITIVE_INFINITY)
  return routers.flatMap(({ router, ...belongings }) => (router === undefined ? [] : [{ router, ...belongings }]))
}
