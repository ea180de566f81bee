import type { Network } from '../inventory/records/network.ts'
import type { Port } from '../inventory/records/port.ts'
import type { RecordSet } from '../inventory/records/records.ts'
import type { DhcpConfig } from './dhcp/config.ts'
import { bridgeOf, dhcpNamespace } from './dhcp/namespace.ts'
import type { Desired } from './plan.ts'

/** What the inventory wants of this machine: a bridge for each network that has a port, a DHCP namespace for each that
 *  has a DHCP port. Pure. */
export function desiredState(records: Pick<RecordSet, 'network' | 'subnet' | 'port'>, config: DhcpConfig): Desired {
  const ports = Map.groupBy(records.port.values(), networkOf)
  const subnets = Map.groupBy(records.subnet.values(), networkOf)
  const inUse = [...records.network.values()].filter(({ id }) => ports.has(id))
  const namespaces = inUse.flatMap((network: Network) => {
    const planned = dhcpNamespace(network, subnets.get(network.id) ?? [], ports.get(network.id) ?? [], config)
    return planned === undefined ? [] : [planned.namespace]
  })
  return {
    bridges: new Map(inUse.map(bridgeOf).map((bridge) => [bridge.name, bridge])),
    namespaces: new Map(namespaces.map((namespace) => [namespace.name, namespace])),
    networks: new Set(records.network.keys()),
  }
}

function networkOf({ networkId }: Pick<Port, 'networkId'>): Port['networkId'] {
  return networkId
}
