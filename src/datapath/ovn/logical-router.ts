import { type IpAddress, ipVersion, type MacAddress, prefixLength } from '../../inventory/records/address.ts'
import type { FloatingIp } from '../../inventory/records/floating-ip.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import type { Network } from '../../inventory/records/network.ts'
import type { FixedIp, Port } from '../../inventory/records/port.ts'
import type { ExternalGateway, Router } from '../../inventory/records/router.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import { EVERYWHERE } from '../metadata-address.ts'
import { type GatewayCandidate, gatewayChassis, physicalNetwork } from './gateways.ts'
import { gatewayPort } from './logical-port.ts'
import { macOf, routerName, routerPortName, switchName } from './names.ts'
import type {
  GatewayChassisColumns,
  Held,
  LogicalPort,
  NatColumns,
  RouteColumns,
  RouterColumns,
  RouterPortColumns,
  Texts,
} from './rows.ts'
import { floatingTranslation, sourceTranslation } from './translations.ts'

export interface LogicalRouter {
  readonly name: string
  readonly columns: RouterColumns
  /** By name. */
  readonly ports: readonly Named<RouterPortColumns>[]
  readonly gatewayChassis: readonly Named<GatewayChassisColumns>[]
  /** The switch's end of the gateway, by name. */
  readonly switchPorts: readonly (readonly [string, LogicalPort])[]
  /** By a key of ours, as those of translations. */
  readonly routes: readonly Named<RouteColumns>[]
  readonly translations: readonly Named<NatColumns>[]
}

type Named<Columns> = readonly [key: string, Held<Columns>]

/** The records of a router: its interfaces, and the networks and subnets of these and of its gateway. */
export interface RouterRecords {
  readonly router: Router
  readonly ports: readonly Port[]
  readonly networks: readonly Network[]
  readonly subnets: readonly Subnet[]
  /** Those that are associated with fixed IPs behind it. */
  readonly floatingIps: readonly FloatingIp[]
}

/** A logical router with its interfaces, gateway, routes and translations. Pure.
 *  @param chassis  where its gateway may be
 *  @param isDistributed  floating IPs are translated on the chassis of their guests */
export function logicalRouter(
  records: RouterRecords,
  chassis: readonly GatewayCandidate[],
  isDistributed: boolean,
): LogicalRouter {
  const { router } = records
  const gateway = gatewayOf(records)
  const interfaces = records.ports
    .map((port) => deviceOf(port.id, port.macAddress, port, records))
    .filter(({ addresses }) => addresses.length > 0)
  const name = routerName(router.id)
  const held = <C>([key, columns]: readonly [string, C]): Named<C> => [key, { on: name, columns }]
  return {
    name,
    columns: routerColumns(router, gateway !== undefined),
    ports: routerPorts(router, interfaces, gateway?.device, chassis).map(held),
    gatewayChassis: gateway === undefined ? [] : chassisOf(router, gateway.device, chassis),
    switchPorts: gateway === undefined ? [] : [[router.id, gatewayPort(router.id, gateway.from, records.subnets)]],
    routes: routesOf(router, gateway?.device).map(held),
    translations: gateway === undefined ? [] : translations(records, interfaces, gateway, isDistributed).map(held),
  }
}

/** A port of the router with all that is known of it. */
interface Device {
  /** Of its port on the switch. */
  readonly name: string
  readonly mac: MacAddress
  readonly networkId: NetworkId
  readonly network: Network | undefined
  readonly addresses: readonly { readonly address: IpAddress; readonly subnet: Subnet }[]
}

interface Gateway {
  readonly from: ExternalGateway
  readonly device: Device
}

/** undefined without an address, too: OVN has no router ports without. */
function gatewayOf(records: RouterRecords): Gateway | undefined {
  const { id, externalGateway: from } = records.router
  if (from === null) return undefined
  const device = deviceOf(id, macOf(id), from, records)
  return device.addresses.length === 0 || device.network === undefined ? undefined : { from, device }
}

function deviceOf(
  name: string,
  mac: MacAddress,
  { networkId, fixedIps }: { readonly networkId: NetworkId; readonly fixedIps: readonly FixedIp[] },
  { networks, subnets }: RouterRecords,
): Device {
  const addresses = fixedIps.flatMap(({ subnetId, ipAddress: address }) => {
    const subnet = subnets.find(({ id }) => id === subnetId)
    return subnet === undefined ? [] : [{ address, subnet }]
  })
  return { name, mac, networkId, network: networks.find(({ id }) => id === networkId), addresses }
}

function routerColumns({ id, name, adminStateUp }: Router, hasGateway: boolean): RouterColumns {
  return {
    enabled: adminStateUp,
    options: new Map([
      ['always_learn_from_arp_request', 'false'],
      ['dynamic_neigh_routers', 'true'],
      ['mac_binding_age_threshold', '0'],
    ]),
    external_ids: new Map([
      ['neutron:availability_zone_hints', ''],
      ['neutron:gw_port_id', hasGateway ? id : ''],
      ['neutron:router_name', name],
    ]),
  }
}

/** By name. */
function routerPorts(
  router: Router,
  interfaces: readonly Device[],
  gateway: Device | undefined,
  chassis: readonly GatewayCandidate[],
): readonly (readonly [string, RouterPortColumns])[] {
  const devices = gateway === undefined ? interfaces : [...interfaces, gateway]
  const mtu = Math.min(...devices.map(({ network }) => network?.mtu ?? Number.POSITIVE_INFINITY))
  return devices.map((device) => {
    const { network } = device
    const isPhysical = network !== undefined && physicalNetwork(network, chassis) !== undefined
    const options = new Map([
      ...(isPhysical ? [['reside-on-redirect-chassis', 'true'] as const] : []),
      ...(device === gateway ? [['gateway_mtu', String(mtu)] as const] : []),
    ])
    return [routerPortName(device.name), routerPort(device, router, device === gateway, options)]
  })
}

function routerPort(device: Device, router: Router, isGateway: boolean, options: Texts): RouterPortColumns {
  const { mac, networkId, addresses } = device
  return {
    mac,
    networks: addresses.map(({ address, subnet }) => `${address}/${prefixLength(subnet.cidr)}`).sort(),
    options,
    ipv6_ra_configs: advertisements(device, isGateway),
    external_ids: new Map([
      ['neutron:is_ext_gw', isGateway ? 'True' : 'False'],
      ['neutron:network_name', switchName(networkId)],
      ['neutron:router_name', routerName(router.id)],
      ['neutron:subnet_ids', addresses.map(({ subnet }) => subnet.id).join(' ')],
    ]),
  }
}

/** By the address mode, as ML2/OVN has it; by that of advertisements where only it is given. The external network hears of
 *  nothing that it does not ask for. */
function advertisements({ addresses, network }: Device, isGateway: boolean): Texts {
  const mode = addresses.map(({ subnet }) => subnet.ipv6AddressMode ?? subnet.ipv6RaMode).find((each) => each !== null)
  if (mode === undefined) return new Map()
  return new Map([
    ['address_mode', mode.replaceAll('-', '_')],
    ['mtu', String(network?.mtu ?? 1500)],
    ['send_periodic', isGateway && network?.external ? 'false' : 'true'],
  ])
}

function chassisOf(
  router: Router,
  { name, network }: Device,
  chassis: readonly GatewayCandidate[],
): LogicalRouter['gatewayChassis'] {
  if (network === undefined) return []
  const chosen = gatewayChassis(router.id, network, chassis)
  const on = routerPortName(name)
  return chosen.map((chassis_name, i) => [
    `${on}_${chassis_name}`,
    { on, columns: { chassis_name, priority: chosen.length - i, external_ids: new Map() } },
  ])
}

/** The default route of each family by the external gateway, and the router's own routes. */
function routesOf({ id, routes }: Router, gateway: Device | undefined): readonly (readonly [string, RouteColumns])[] {
  const defaults = (gateway?.addresses ?? []).flatMap(({ subnet }) => {
    if (subnet.gatewayIp === null) return []
    const external_ids = new Map([
      ['neutron:is_ext_gw', 'true'],
      ['neutron:is_static_route', 'true'],
      ['neutron:subnet_id', subnet.id],
    ])
    const columns = { ip_prefix: EVERYWHERE[subnet.ipVersion], nexthop: subnet.gatewayIp, external_ids }
    return [[`${id} default ${subnet.id}`, columns] as const]
  })
  const own = routes.map(({ destination, nexthop }) => {
    const external_ids = new Map([['neutron:is_static_route', 'true']])
    return [`${id} ${destination} ${nexthop}`, { ip_prefix: destination, nexthop, external_ids }] as const
  })
  return [...defaults, ...own]
}

function translations(
  { router, floatingIps }: RouterRecords,
  interfaces: readonly Device[],
  { from, device }: Gateway,
  isDistributed: boolean,
): readonly (readonly [string, NatColumns])[] {
  const outside = device.addresses.find(({ address }) => ipVersion(address) === 4)?.address
  const inside = interfaces.flatMap(({ addresses }) => addresses).filter(({ subnet }) => subnet.ipVersion === 4)
  const sources =
    outside === undefined || !from.enableSnat
      ? []
      : inside.map(({ subnet }) => [`${router.id} ${subnet.id}`, sourceTranslation(subnet, outside)] as const)
  const floating = floatingIps.flatMap((floatingIp) => {
    const columns = floatingTranslation(floatingIp, routerName(router.id), isDistributed)
    return columns === undefined ? [] : [[floatingIp.id as string, columns] as const]
  })
  return [...sources, ...floating]
}
