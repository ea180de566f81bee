import type { NetworkId, ProjectId } from './ids.ts'

/** One layer-2 domain. Address ranges of different networks may be equal. */
export interface Network {
  readonly id: NetworkId
  readonly projectId: ProjectId
  readonly name: string
  readonly adminStateUp: boolean
  /** Bytes of layer-2 payload. */
  readonly mtu: number
  readonly shared: boolean
  /** `router:external`: floating IPs come from here and routers may have their gateway here. */
  readonly external: boolean
}

/** `brq` and the first 11 characters of the network's id: the bridge of a network by the field's convention. */
export function bridgeName(id: NetworkId): string {
  return `brq${id.slice(0, 11)}`
}
