import { type IpAddress, ipVersion, type MacAddress, prefixLength } from '../../inventory/records/address.ts'
import type { RouterId } from '../../inventory/records/ids.ts'
import type { Network } from '../../inventory/records/network.ts'
import { isNetworkService, isRouterInterface, type Port } from '../../inventory/records/port.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import { isStateful } from './dhcp-options.ts'
import { routerPortName, switchName } from './names.ts'
import type { LogicalPort, PortColumns, Texts } from './rows.ts'

/** undefined for ports of services whose work OVN does itself, and of routers without an address. */
export function kindOf(port: Port, metadataPort: Port | undefined): 'guest' | 'metadata' | 'router' | undefined {
  if (port === metadataPort) return 'metadata'
  if (isRouterInterface(port)) return port.fixedIps.length > 0 ? 'router' : undefined
  return isNetworkService(port) ? undefined : 'guest'
}

/** @param served  the subnets with DHCP */
export function guestPort(
  port: Port,
  subnets: readonly Subnet[],
  served: ReadonlySet<string>,
  floatingIp: IpAddress | undefined,
): LogicalPort {
  const [dhcpv4, dhcpv6] = [dhcpOf(port, 4, subnets, served), dhcpOf(port, 6, subnets, served)]
  return {
    on: switchName(port.networkId),
    dhcpv4,
    dhcpv6,
    columns: {
      type: '',
      addresses: guestAddresses(port, dhcpv4 !== undefined || dhcpv6 !== undefined),
      port_security: port.portSecurityEnabled ? allowedAddresses(port) : [],
      enabled: port.adminStateUp,
      options: new Map(),
      external_ids: portIds(port, subnets, {
        'neutron:security_group_ids': port.securityGroupIds.join(' '),
        'neutron:vnic_type': port.vnicType,
        ...(floatingIp !== undefined && { 'neutron:port_fip': floatingIp }),
      }),
    },
  }
}

export function metadataPort(port: Port, network: Network, subnets: readonly Subnet[]): LogicalPort {
  return servicePort(port, {
    type: 'localport',
    addresses: [ownAddresses(port)],
    options: new Map(),
    external_ids: portIds(port, subnets, {
      'neutron:device_id': `ovnmeta-${network.id}`,
      'neutron:device_owner': 'network:distributed',
      'neutron:mtu': String(network.mtu),
    }),
  })
}

/** The switch's end of a router's interface. */
export function routerInterface(port: Port, subnets: readonly Subnet[]): LogicalPort {
  return servicePort(port, {
    type: 'router',
    addresses: ['router'],
    options: new Map([['router-port', routerPortName(port.id)]]),
    external_ids: portIds(port, subnets),
  })
}

/** The switch's end of a router's gateway, which is named by the router's id. */
export function gatewayPort(
  router: RouterId,
  { networkId, fixedIps }: Pick<Port, 'networkId' | 'fixedIps'>,
  subnets: readonly Subnet[],
): LogicalPort {
  const as = { networkId, fixedIps, deviceId: router, deviceOwner: 'network:router_gateway', name: '', projectId: '' }
  return servicePort(
    { networkId, adminStateUp: true },
    {
      type: 'router',
      addresses: ['router'],
      options: new Map([
        ['router-port', routerPortName(router)],
        ['nat-addresses', 'router'], // the outside learns by gratuitous ARP where they are
        ['exclude-lb-vips-from-garp', 'true'],
      ]),
      external_ids: portIds(as, subnets),
    },
  )
}

/** A port that no guest is behind. */
export function servicePort(
  { networkId, adminStateUp }: Pick<Port, 'networkId' | 'adminStateUp'>,
  columns: Pick<PortColumns, 'type' | 'addresses' | 'options' | 'external_ids'>,
): LogicalPort {
  return {
    on: switchName(networkId),
    dhcpv4: undefined,
    dhcpv6: undefined,
    columns: { ...columns, port_security: [], enabled: adminStateUp },
  }
}

/** The subnet whose DHCP options a port is given: one a family. Of IPv6 subnets one that gives addresses, if there is any. */
function dhcpOf(
  port: Port,
  version: 4 | 6,
  subnets: readonly Subnet[],
  served: ReadonlySet<string>,
): string | undefined {
  const candidates = port.fixedIps.flatMap(({ subnetId }) =>
    subnets.filter(({ id, ipVersion: its }) => id === subnetId && its === version && served.has(id)),
  )
  return (candidates.find(isStateful) ?? candidates[0])?.id
}

/** What the switch sends to the port. Without port security that is also what nobody else is known to have. */
function guestAddresses(port: Port, isServed: boolean): readonly string[] {
  if (port.portSecurityEnabled) return [ownAddresses(port), ...foreignPairs(port).keys()]
  return [...(isServed ? [ownAddresses(port)] : []), 'unknown']
}

/** What the guest may send as: its own addresses, and those of its allowed address pairs. */
function allowedAddresses(port: Port): readonly string[] {
  const extra = port.allowedAddressPairs
    .filter(({ macAddress }) => macAddress === null || macAddress === port.macAddress)
    .map(({ ipAddress }) => ipAddress)
  const pairs = [...foreignPairs(port)].flatMap(([mac, addresses]) => addresses.map((address) => `${mac} ${address}`))
  return [[ownAddresses(port), ...extra].join(' '), ...pairs]
}

/** The allowed address pairs under another MAC, by it. */
function foreignPairs({ allowedAddressPairs, macAddress: own }: Port): ReadonlyMap<MacAddress, readonly string[]> {
  const pairs = allowedAddressPairs.flatMap(({ macAddress: mac, ipAddress: address }) =>
    mac === null || mac === own ? [] : [{ mac, address }],
  )
  const byMac = Map.groupBy(pairs, ({ mac }) => mac)
  return new Map(Array.from(byMac, ([mac, of]) => [mac, of.map(({ address }) => address)]))
}

function ownAddresses({ macAddress, fixedIps }: Pick<Port, 'macAddress' | 'fixedIps'>): string {
  const own = fixedIps.map(({ ipAddress }) => ipAddress).sort((a, b) => ipVersion(a) - ipVersion(b))
  return [macAddress, ...own].join(' ')
}

function portIds(
  port: Pick<Port, 'networkId' | 'fixedIps' | 'deviceId' | 'deviceOwner' | 'name'> & { readonly projectId: string },
  subnets: readonly Subnet[],
  other: Readonly<Record<string, string>> = {},
): Texts {
  const cidrs = port.fixedIps.flatMap(({ subnetId, ipAddress }) => {
    const subnet = subnets.find(({ id }) => id === subnetId)
    return subnet === undefined ? [] : [`${ipAddress}/${prefixLength(subnet.cidr)}`]
  })
  return new Map(
    Object.entries({
      'neutron:cidrs': cidrs.join(' '),
      'neutron:device_id': port.deviceId,
      'neutron:device_owner': port.deviceOwner,
      'neutron:mtu': '',
      'neutron:network_name': switchName(port.networkId),
      'neutron:port_capabilities': '',
      'neutron:port_name': port.name,
      'neutron:project_id': port.projectId,
      'neutron:security_group_ids': '',
      'neutron:vnic_type': 'normal',
      ...other,
    }),
  )
}
