import type { IpAddress } from './address.ts'
import type { FloatingIpId, NetworkId, PortId, ProjectId } from './ids.ts'

/** An external address that stands for a fixed IP of a port. */
export interface FloatingIp {
  readonly id: FloatingIpId
  readonly projectId: ProjectId
  /** The external network the address is of. */
  readonly networkId: NetworkId
  readonly address: IpAddress
  /** null together with `fixedIpAddress`: allocated, but not associated. */
  readonly portId: PortId | null
  readonly fixedIpAddress: IpAddress | null
}
