import type { NetworkId, ProjectId, RouterId } from './ids.ts'
import type { FixedIp } from './port.ts'
import type { HostRoute } from './subnet.ts'

export interface ExternalGateway {
  readonly networkId: NetworkId
  readonly enableSnat: boolean
  readonly fixedIps: readonly FixedIp[]
}

/** Joins subnets. Its interfaces are ports with `deviceId` = the router's id and an owner of ROUTER_INTERFACE_OWNERS. */
export interface Router {
  readonly id: RouterId
  readonly projectId: ProjectId
  readonly name: string
  readonly adminStateUp: boolean
  readonly externalGateway: ExternalGateway | null
  readonly routes: readonly HostRoute[]
}
