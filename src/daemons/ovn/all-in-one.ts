import type { Values } from '../../config/option.ts'
import { proxyOptions } from '../../config/options/datapath.ts'
import type { northboundOptions } from '../../config/options/ovn.ts'
import { keepNorthbound } from '../../datapath/northbound/keep-northbound.ts'
import { CHASSIS_TABLE, NORTHBOUND_TABLES } from '../../datapath/northbound/tables.ts'
import { openInventory } from '../../inventory/catalog.ts'
import type { Inventory, InventoryStore } from '../../inventory/store.ts'
import { inventoryIsRead, reconciles } from '../../observe/health.ts'
import { openMetrics } from '../../observe/metrics/metrics.ts'
import { openOvsdb } from '../../ovsdb/ovsdb.ts'
import { agentSocketIsThere } from '../agent-socket.ts'
import { configRoutes } from '../config-routes.ts'
import { reconcilerRoutes } from '../datapath-routes.ts'
import { openManagement } from '../management.ts'
import { openOperatorPages } from '../operator-pages.ts'
import { installationMark } from '../state-directory.ts'
import { version } from '../version.ts'
import {
  CHASSIS_DATABASES,
  type ChassisDatapath,
  type ChassisGiven,
  type ChassisValues,
  lastChassisPass,
  openChassisDatapath,
} from './chassis-datapath.ts'
import { openDatabases } from './databases.ts'
import { ovnStatusRoute } from './status-route.ts'
import { tlsOf } from './tls.ts'

export type OvnValues = ChassisValues &
  Values<typeof northboundOptions> & {
    readonly dns_domain: string
    readonly metrics_listen: string
  }

export interface OvnAllInOne {
  readonly inventory: Inventory
  readonly datapath: ChassisDatapath
  /** Takes namespaces, and what was written to the Northbound, away. Records stay. */
  teardown(): Promise<void>
}

/**
 * A cloud of OVN without Neutron: the inventory's networks, ports and routers are written to the Northbound, from which OVN
 * gives DHCP and routes; this host's chassis has the metadata namespaces. Guests are plugged in by whoever runs them, into
 * the integration bridge with the port's id as `iface-id`.
 *
 * Resolves when the Northbound says what the inventory says, and every network with guests here is served.
 */
export async function openOvnAllInOne(
  store: InventoryStore,
  given: Pick<ChassisGiven, 'state' | 'sockets' | 'log'> & { readonly values: OvnValues },
): Promise<OvnAllInOne> {
  const { state, values, log } = given
  const inventory = openInventory(store, log)
  const metrics = openMetrics({ version: version(), recorderDropped: () => 0, now: () => new Date() })
  const databases = openDatabases(['OVN_Northbound', ...CHASSIS_DATABASES], log)
  metrics.databases(databases.figures)
  let datapath: ChassisDatapath | undefined
  const pages = await openOperatorPages({
    state,
    daemon: 'up',
    metrics,
    ready: [
      inventoryIsRead(inventory.ready),
      ...databases.ready,
      reconciles(() => lastChassisPass(datapath)),
      agentSocketIsThere(state.agentSocket),
    ],
    listen: values.metrics_listen,
    log,
  })
  const client = openOvsdb({
    remotes: values.ovn_nb_connection,
    database: 'OVN_Northbound',
    tables: NORTHBOUND_TABLES,
    leaderOnly: true, // a cluster's followers may be behind what was just written
    probeMilliseconds: values.ovsdb_probe_interval,
    ...tlsOf('ovn_nb', values),
  })
  databases.follow('OVN_Northbound', client, NORTHBOUND_TABLES)
  const chassis = await openChassisDatapath({ ...given, agentSocket: state.agentSocket, databases, metrics })
  datapath = chassis
  const routes = {
    ...reconcilerRoutes(chassis.reconciler),
    ...configRoutes(chassis, proxyOptions),
    ...ovnStatusRoute(() => chassis.chassisName, databases),
  }
  const management = await openManagement(state, routes, log)
  await inventory.ready
  const southbound = chassis.connectSouthbound([CHASSIS_TABLE])
  const northbound = keepNorthbound({
    client,
    southbound,
    source: inventory,
    mark: await installationMark(state),
    settings: { dnsDomain: values.dns_domain, distributedFloatingIps: values.enable_distributed_floating_ip },
    log,
  })
  await northbound.look()
  await chassis.start()
  return {
    inventory,
    datapath: chassis,
    teardown: async () => {
      await pages.close()
      await management.close()
      await northbound.clear()
      await chassis.teardown()
      await client.close()
      await southbound.close()
      inventory.close()
      await store.close()
    },
  }
}
