import type { IpAddress, MacAddress } from './address.ts'
import type { NetworkId, PortId, ProjectId, SecurityGroupId, SubnetId } from './ids.ts'

export interface FixedIp {
  readonly subnetId: SubnetId
  readonly ipAddress: IpAddress
}

/** An attachment to a network. A fixed IP alone does not identify a port (tenants reuse ranges); (network, fixed IP)
 *  does, and so does (network, MAC address). */
export interface Port {
  readonly id: PortId
  readonly networkId: NetworkId
  readonly projectId: ProjectId
  readonly name: string
  readonly macAddress: MacAddress
  readonly adminStateUp: boolean
  readonly fixedIps: readonly FixedIp[]
  readonly securityGroupIds: readonly SecurityGroupId[]
  /** What the port belongs to: a server's id, a router's id, `dhcp<host>-<network>`, or empty text. */
  readonly deviceId: string
  /** `compute:<zone>`, `network:dhcp`, `network:router_interface`, ..., or empty text. */
  readonly deviceOwner: string
  /** `binding:vnic_type`, `binding:vif_type`: how a hypervisor plugs it. `network_data.json` shows the latter. */
  readonly vnicType: string
  readonly vifType: string
}

export const DHCP_PORT = 'network:dhcp'

/** The owners whose ports make a router's networks (not its gateway, nor SNAT ports). */
export const ROUTER_INTERFACE_OWNERS: ReadonlySet<string> = new Set([
  'network:router_interface',
  'network:router_interface_distributed',
  'network:ha_router_replicated_interface',
])

export function isRouterInterface(port: Pick<Port, 'deviceOwner'>): boolean {
  return ROUTER_INTERFACE_OWNERS.has(port.deviceOwner)
}

export function isInstancePort(port: Pick<Port, 'deviceId' | 'deviceOwner'>): boolean {
  return port.deviceId !== '' && port.deviceOwner.startsWith('compute:')
}

/** `tap` and the first 11 characters of the port's id: the host's end of a port by the field's convention. */
export function tapName(port: Pick<Port, 'id'>): string {
  return `tap${port.id.slice(0, 11)}`
}
