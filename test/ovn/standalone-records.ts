import type { GatewayCandidate } from '../../src/datapath/ovn/gateways.ts'
import { type Northbound, type NorthboundSettings, northbound } from '../../src/datapath/ovn/northbound.ts'
import type { FloatingIp } from '../../src/inventory/records/floating-ip.ts'
import type { Network } from '../../src/inventory/records/network.ts'
import type { Port } from '../../src/inventory/records/port.ts'
import { emptyRecordSet } from '../../src/inventory/records/records.ts'
import type { Router } from '../../src/inventory/records/router.ts'
import type { Server } from '../../src/inventory/records/server.ts'
import type { Subnet } from '../../src/inventory/records/subnet.ts'
import { aNetwork } from '../support/network-records.ts'

interface Given {
  readonly networks?: readonly Network[]
  readonly routers?: readonly Router[]
  readonly floatingIps?: readonly FloatingIp[]
  readonly servers?: readonly Pick<Server, 'id' | 'hostname' | 'portIds'>[]
  readonly chassis?: readonly GatewayCandidate[]
  readonly settings?: Partial<NorthboundSettings>
}

/** What the Northbound says of these records, and of the network NETWORK. */
export function northboundOf(subnets: readonly Subnet[], ports: readonly Port[], given: Given = {}): Northbound {
  const byId = <T extends { readonly id: string }>(them: readonly T[] = []) => new Map(them.map((one) => [one.id, one]))
  const records = {
    ...emptyRecordSet(),
    network: byId<Network>([aNetwork({ mtu: 1442 }), ...(given.networks ?? [])]),
    subnet: byId(subnets),
    port: byId(ports),
    router: byId(given.routers),
    floating_ip: byId(given.floatingIps),
    server: byId(given.servers as readonly Server[] | undefined),
  }
  const settings = { dnsDomain: 'openstacklocal', distributedFloatingIps: false, ...given.settings }
  return northbound(records, given.chassis ?? [], settings)
}
