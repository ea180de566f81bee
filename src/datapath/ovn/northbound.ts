import { createHash } from 'node:crypto'
import { ipVersion, prefixLength } from '../../inventory/records/address.ts'
import type { Network } from '../../inventory/records/network.ts'
import { isInstancePort, isRouterInterface, type Port } from '../../inventory/records/port.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import type { DatapathRecords } from '../desired.ts'
import { viewNetwork } from '../dhcp/network-view.ts'
import { type DhcpValues, dhcpOptions } from './dhcp-options.ts'

/** What OVN's Northbound database has to say of the inventory, in ML2/OVN's conventions. References are by name. */
export interface Northbound {
  /** By subnet. */
  readonly dhcp: ReadonlyMap<string, DhcpValues>
  readonly switches: ReadonlyMap<string, { readonly external_ids: Texts }>
  readonly ports: ReadonlyMap<string, LogicalPort>
  readonly routers: ReadonlyMap<string, { readonly enabled: boolean; readonly external_ids: Texts }>
  readonly routerPorts: ReadonlyMap<string, LogicalRouterPort>
}

export type Texts = ReadonlyMap<string, string>

export interface LogicalPort {
  /** The logical switch. */
  readonly on: string
  /** Subnets whose DHCP options it is given. */
  readonly dhcpv4: string | undefined
  readonly dhcpv6: string | undefined
  readonly columns: {
    readonly type: string
    readonly addresses: readonly string[]
    readonly port_security: readonly string[]
    readonly enabled: boolean
    readonly options: Texts
    readonly external_ids: Texts
  }
}

export interface LogicalRouterPort {
  /** The logical router. */
  readonly on: string
  readonly columns: {
    readonly mac: string
    readonly networks: readonly string[]
    readonly ipv6_ra_configs: Texts
    readonly external_ids: Texts
  }
}

/**
 * A logical switch for each network, a port on it for each port, DHCP options for each subnet with DHCP, a logical router for
 * each router. The inventory's DHCP port is the metadata port here: OVN gives DHCP itself, and what is left to be answered at
 * that address is metadata. Pure.
 */
export function northbound(records: DatapathRecords): Northbound {
  const networks = [...records.network.values()]
  const subnets = Map.groupBy(records.subnet.values(), ({ networkId }) => networkId)
  const ports = Map.groupBy(records.port.values(), ({ networkId }) => networkId)
  const parts = networks.map((network) =>
    ofNetwork(network, subnets.get(network.id) ?? [], ports.get(network.id) ?? []),
  )
  const interfaces = [...records.port.values()].filter(
    (port) => isRouterInterface(port) && records.router.has(port.deviceId),
  )
  return {
    dhcp: new Map(parts.flatMap(({ dhcp }) => dhcp)),
    switches: new Map(networks.map((network) => [switchName(network), { external_ids: switchIds(network) }])),
    ports: new Map(parts.flatMap((part) => part.ports)),
    routers: new Map(
      [...records.router.values()].map(({ id, name, adminStateUp }) => [
        `neutron-${id}`,
        { enabled: adminStateUp, external_ids: new Map([['neutron:router_name', name]]) },
      ]),
    ),
    routerPorts: new Map(
      interfaces.map((port) => [`lrp-${port.id}`, routerPort(port, records.network.get(port.networkId), records)]),
    ),
  }
}

function ofNetwork(network: Network, subnets: readonly Subnet[], ports: readonly Port[]) {
  const view = viewNetwork(network, subnets, ports)
  const dhcp = view.subnets.flatMap((subnet) => {
    const values = dhcpOptions(subnet, view, macOf(subnet.id))
    return values === undefined ? [] : [[subnet.id as string, values] as const]
  })
  const served = new Set(dhcp.map(([id]) => id))
  const subnetOf = (port: Port, version: 4 | 6) =>
    view.subnets.find(
      ({ id, ipVersion: its }) =>
        its === version && served.has(id) && port.fixedIps.some(({ subnetId }) => subnetId === id),
    )?.id
  const wanted = view.ports.flatMap((port): readonly (readonly [string, LogicalPort])[] => {
    const kind = kindOf(port, view.dhcpPort)
    if (kind === undefined) return []
    const isGuest = kind === ''
    return [
      [
        port.id,
        {
          on: switchName(network),
          dhcpv4: isGuest ? subnetOf(port, 4) : undefined,
          dhcpv6: isGuest ? subnetOf(port, 6) : undefined,
          columns: {
            type: kind,
            addresses: kind === 'router' ? ['router'] : [addressesOf(port)],
            port_security: isGuest ? [addressesOf(port)] : [],
            enabled: port.adminStateUp,
            options: new Map(kind === 'router' ? [['router-port', `lrp-${port.id}`]] : []),
            external_ids: portIds(port, network, kind, view.subnets),
          },
        },
      ],
    ]
  })
  return { dhcp, ports: wanted }
}

/** OVN's type of a logical switch port; undefined for ports that nobody is behind in OVN. */
function kindOf(port: Port, metadataPort: Port | undefined): '' | 'localport' | 'router' | undefined {
  if (port === metadataPort) return 'localport'
  if (isRouterInterface(port)) return 'router'
  return isInstancePort(port) ? '' : undefined
}

function portIds(port: Port, network: Network, kind: string, subnets: readonly Subnet[]): Texts {
  const isMetadata = kind === 'localport'
  const cidrs = port.fixedIps.flatMap(({ subnetId, ipAddress }) => {
    const subnet = subnets.find(({ id }) => id === subnetId)
    return subnet === undefined ? [] : [`${ipAddress}/${prefixLength(subnet.cidr)}`]
  })
  return new Map([
    ['neutron:cidrs', cidrs.join(' ')],
    ['neutron:device_id', isMetadata ? `ovnmeta-${network.id}` : port.deviceId],
    ['neutron:device_owner', isMetadata ? 'network:distributed' : port.deviceOwner],
    ['neutron:mtu', isMetadata ? String(network.mtu) : ''],
    ['neutron:network_name', switchName(network)],
    ['neutron:port_name', port.name],
    ['neutron:project_id', port.projectId],
  ])
}

function routerPort(port: Port, network: Network | undefined, records: DatapathRecords): LogicalRouterPort {
  const fixed = port.fixedIps.flatMap(({ subnetId, ipAddress }) => {
    const subnet = records.subnet.get(subnetId)
    return subnet === undefined ? [] : [{ ipAddress, subnet }]
  })
  const mode = fixed.find(({ subnet }) => subnet.ipv6RaMode !== null)?.subnet.ipv6RaMode
  return {
    on: `neutron-${port.deviceId}`,
    columns: {
      mac: port.macAddress,
      networks: fixed.map(({ ipAddress, subnet }) => `${ipAddress}/${prefixLength(subnet.cidr)}`).sort(),
      ipv6_ra_configs:
        mode == null
          ? new Map()
          : new Map([
              ['address_mode', mode.replaceAll('-', '_')],
              ['mtu', String(network?.mtu ?? 1500)],
              ['send_periodic', 'true'],
            ]),
      external_ids: new Map([['neutron:network_name', `neutron-${port.networkId}`]]),
    },
  }
}

function addressesOf(port: Port): string {
  const own = port.fixedIps.map(({ ipAddress }) => ipAddress).sort((a, b) => ipVersion(a) - ipVersion(b))
  return [port.macAddress, ...own].join(' ')
}

function switchName({ id }: Pick<Network, 'id'>): string {
  return `neutron-${id}`
}

function switchIds({ name, mtu }: Network): Texts {
  return new Map([
    ['neutron:mtu', String(mtu)],
    ['neutron:network_name', name],
  ])
}

/** Of the DHCP server that OVN plays on a subnet: under Neutron's `base_mac`, and always the same for the same subnet. */
function macOf(id: string): string {
  const [a, b, c] = createHash('sha256').update(id).digest()
  return ['fa:16:3e', ...[a, b, c].map((byte) => (byte ?? 0).toString(16).padStart(2, '0'))].join(':')
}
