import type { Network } from '../inventory/records/network.ts'
import { isRouterInterface, type Port } from '../inventory/records/port.ts'
import type { RecordSet } from '../inventory/records/records.ts'
import type { DatapathConfig } from './config.ts'
import type { Decision, Planned } from './decision.ts'
import { bridgeOf, dhcpNamespace } from './dhcp/namespace.ts'
import { viewNetwork } from './dhcp/network-view.ts'
import { Memo } from './memo.ts'
import type { Desired } from './plan.ts'
import { portSecurity } from './port-security/elements.ts'
import { gatherRouters } from './router/gather.ts'
import { routerNamespace } from './router/namespace.ts'
import { type RouterRecords, viewRouter } from './router/router-view.ts'

export type DatapathRecords = Pick<
  RecordSet,
  'network' | 'subnet' | 'port' | 'router' | 'floating_ip' | 'former_interface'
>

/** What the inventory wants of this machine at a moment. */
export interface DesiredAt extends Desired {
  readonly decisions: readonly Decision[]
  /** Seconds since 1970 at which the same records want something else; undefined: never. */
  readonly until: number | undefined
}

/**
 * Works out what the inventory wants of this machine: a bridge for each network that has a port or is a router's external
 * one, a DHCP namespace for each network that has a DHCP port, a router namespace for each router.
 *
 * What is the same as at the last call, with the same configuration, are the same objects.
 */
export class Planner {
  readonly #memo = new Memo<Planned>()

  desired(records: DatapathRecords, config: DatapathConfig, nowSeconds: number): DesiredAt {
    const { routers, until } = gatherRouters(records, config, nowSeconds)
    const ports = Map.groupBy(records.port.values(), networkOf)
    const inUse = networksInUse(records, ports, routers)
    const planned = [...this.#routers(routers, config), ...this.#networks(ports, records, config)]
    this.#memo.sweep()
    const namespaces = planned.flatMap(({ namespace }) => (namespace === undefined ? [] : [namespace]))
    return {
      bridges: new Map(inUse.map(bridgeOf).map((bridge) => [bridge.name, bridge])),
      namespaces: new Map(namespaces.map((namespace) => [namespace.name, namespace])),
      portSecurity: portSecurity(records.port.values()),
      networks: new Set(records.network.keys()),
      decisions: planned.map(({ decision }) => decision),
      until,
    }
  }

  #routers(routers: readonly RouterRecords[], config: DatapathConfig): readonly Planned[] {
    return routers.map((each) => {
      const { id, router, ports, formers, networks, subnets, floatingIps } = each
      const given = [config, router, ...ports, ...formers, ...networks, ...subnets, ...floatingIps]
      return this.#memo.get(id, given, () => routerNamespace(viewRouter(each), config))
    })
  }

  #networks(
    portsByNetwork: ReadonlyMap<string, readonly Port[]>,
    records: DatapathRecords,
    config: DatapathConfig,
  ): readonly Planned[] {
    const subnetsByNetwork = Map.groupBy(records.subnet.values(), networkOf)
    return [...records.network.values()].map((network) => {
      const subnets = subnetsByNetwork.get(network.id) ?? []
      const ports = portsByNetwork.get(network.id) ?? []
      const routers = ports.filter(isRouterInterface).flatMap(({ deviceId }) => records.router.get(deviceId) ?? [])
      return this.#memo.get(network.id, [config, network, ...subnets, ...ports, ...routers], () =>
        dhcpNamespace(viewNetwork(network, subnets, ports, routers), config),
      )
    })
  }
}

/** Those with ports, and those that a router has a device on. */
function networksInUse(
  records: DatapathRecords,
  ports: ReadonlyMap<string, unknown>,
  routers: readonly RouterRecords[],
): readonly Network[] {
  const routed = new Set<string>(routers.flatMap(({ networks }) => networks.map(({ id }) => id)))
  return [...records.network.values()].filter(({ id }) => ports.has(id) || routed.has(id))
}

function networkOf<Id>({ networkId }: { readonly networkId: Id }): Id {
  return networkId
}
