import type { Values } from '../../config/option.ts'
import type { northboundOptions } from '../../config/options/ovn.ts'
import { clearNorthbound, keepNorthbound, type NorthboundKeeper } from '../../datapath/northbound/keep-northbound.ts'
import { CHASSIS_TABLE, NORTHBOUND_TABLES } from '../../datapath/northbound/tables.ts'
import { openInventory } from '../../inventory/catalog.ts'
import type { Inventory, InventoryStore } from '../../inventory/store.ts'
import { inventoryIsRead, reconciles } from '../../observe/health.ts'
import { openMetrics } from '../../observe/metrics/metrics.ts'
import { type OvsdbClient, openOvsdb } from '../../ovsdb/ovsdb.ts'
import { agentSocketIsThere } from '../agent-socket.ts'
import { openManagement } from '../management.ts'
import { openOperatorPages } from '../operator-pages.ts'
import type { ProxyValues } from '../proxy-config.ts'
import { installationMark } from '../state-directory.ts'
import { version } from '../version.ts'
import { type ChassisGiven, type ChassisValues, lastChassisPass } from './chassis-datapath.ts'
import { chassisRoutes } from './chassis-routes.ts'
import { openDatabases } from './databases.ts'
import { northboundStatus } from './northbound-status.ts'
import { CHASSIS_DATABASES, serveChassis } from './serve-chassis.ts'
import { tlsOf } from './tls.ts'

export type OvnValues = ChassisValues &
  Values<typeof northboundOptions> & {
    readonly dns_domain: string
    readonly metrics_listen: string
  }

export interface OvnAllInOne {
  /** Resolves when the Northbound has been told what the inventory says, as far as others leave room for it, and every network
   *  with guests here is served. */
  readonly started: Promise<Inventory>
  /** Puts other options of what answers in the namespaces in force. @returns what changed, one a line
   *  @throws HostError when they name a program that is not installed; then those before stay in force */
  configure(values: ProxyValues): Promise<readonly string[]>
  /** Takes namespaces, and what was written to the Northbound, away, also before all is started. Records stay.
   *  @returns what could not be taken away, a sentence each */
  teardown(): Promise<readonly string[]>
}

/**
 * A cloud of OVN without Neutron: the inventory's networks, ports and routers are written to the Northbound, from which OVN
 * gives DHCP and routes; this host's chassis has the metadata namespaces. Guests are plugged in by whoever runs them, into
 * the integration bridge with the port's id as `iface-id`.
 *
 * Resolves when the operator can ask how far it is.
 */
export async function openOvnAllInOne(
  store: InventoryStore,
  given: Pick<ChassisGiven, 'state' | 'sockets' | 'log'> & {
    readonly values: OvnValues
    /** Told of options that are in force from now on: for who answers elsewhere. */
    readonly onValues?: (values: ProxyValues) => Promise<unknown>
  },
): Promise<OvnAllInOne> {
  const { state, values, log } = given
  const inventory = openInventory(store, log)
  const metrics = openMetrics({ version: version(), recorderDropped: () => 0, now: () => new Date() })
  const databases = openDatabases(['OVN_Northbound', ...CHASSIS_DATABASES], log)
  metrics.databases(databases.figures)
  const client = openOvsdb({
    remotes: values.ovn_nb_connection,
    database: 'OVN_Northbound',
    tables: NORTHBOUND_TABLES,
    leaderOnly: true, // a cluster's followers may be behind what was just written
    probeMilliseconds: values.ovsdb_probe_interval,
    ...tlsOf('ovn_nb', values),
  })
  databases.follow('OVN_Northbound', client, NORTHBOUND_TABLES)
  const rows = {
    client,
    mark: await installationMark(state),
    log,
  }
  const chassis = serveChassis({ ...given, agentSocket: state.agentSocket, databases, metrics })
  const pages = await openOperatorPages({
    state,
    daemon: 'up',
    metrics,
    ready: [
      inventoryIsRead(inventory.ready),
      ...databases.ready,
      reconciles(() => lastChassisPass(chassis.datapath)),
      agentSocketIsThere(state.agentSocket),
    ],
    listen: values.metrics_listen,
    log,
  })
  let latest: ProxyValues = values
  let southbound: OvsdbClient | undefined
  let northbound: NorthboundKeeper | undefined
  const unwritten = () => (northbound?.troubles ?? []).map(northboundStatus)
  const configure = async (next: ProxyValues) => {
    const changed = (await chassis.datapath?.configure(next)) ?? []
    latest = next
    await given.onValues?.(next)
    return changed
  }
  const management = await openManagement(state, chassisRoutes(chassis, databases, configure, unwritten), log)
  let isEnding = false

  async function start(): Promise<Inventory> {
    const [datapath] = await Promise.all([chassis.opened, inventory.ready])
    if (isEnding) return inventory
    southbound = datapath.connectSouthbound([CHASSIS_TABLE])
    const settings = { dnsDomain: values.dns_domain, distributedFloatingIps: values.enable_distributed_floating_ip }
    northbound = keepNorthbound({ ...rows, southbound, source: inventory, settings })
    // What cannot be written, or not yet, keeps no guest waiting that OVN knows already.
    await Promise.all([northbound.look(), datapath.start()])
    if (isEnding) return inventory
    await datapath.configure(latest) // which may have come meanwhile
    return inventory
  }

  /** Nobody who ends a process waits for a database on another machine for long. */
  const clear = async () => {
    try {
      await clearNorthbound(rows, northbound)
      return []
    } catch (error) {
      const why = error instanceof Error ? error.message : error
      return [
        `The Northbound database (${values.ovn_nb_connection}) could not be cleared: ${why}. Rows with external_ids:firstboot stay in it until "firstboot up --datapath ovn" runs on this state directory again and is ended.`,
      ]
    }
  }

  return {
    started: start(),
    configure,
    teardown: async () => {
      isEnding = true
      await pages.close()
      await management.close()
      const left = (await Promise.all([chassis.teardown(), clear()])).flat()
      await Promise.all([client.close(), southbound?.close()])
      inventory.close()
      await store.close()
      return left
    },
  }
}
