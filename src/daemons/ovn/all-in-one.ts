import { keepNorthbound } from '../../datapath/northbound/keep-northbound.ts'
import { CHASSIS_TABLE, NORTHBOUND_TABLES } from '../../datapath/northbound/tables.ts'
import { markOf } from '../../host/mark.ts'
import { openInventory } from '../../inventory/catalog.ts'
import type { Inventory, InventoryStore } from '../../inventory/store.ts'
import { openOvsdb } from '../../ovsdb/ovsdb.ts'
import { openManagement } from '../management.ts'
import { tellStatus } from './chassis.ts'
import { type ChassisGiven, type ChassisValues, openChassisDatapath } from './chassis-datapath.ts'
import { tlsOf } from './tls.ts'

export interface OvnValues extends ChassisValues {
  readonly ovn_nb_connection: string
  readonly ovn_nb_private_key: string
  readonly ovn_nb_certificate: string
  readonly ovn_nb_ca_cert: string
  readonly dns_domain: string
  readonly enable_distributed_floating_ip: boolean
}

export interface OvnAllInOne {
  readonly inventory: Inventory
  readonly chassisName: string
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
  given: ChassisGiven & { readonly values: OvnValues },
): Promise<OvnAllInOne> {
  const { state, values, log } = given
  const inventory = openInventory(store, log)
  const client = openOvsdb({
    remotes: values.ovn_nb_connection,
    database: 'OVN_Northbound',
    tables: NORTHBOUND_TABLES,
    leaderOnly: true, // a cluster's followers may be behind what was just written
    probeMilliseconds: values.ovsdb_probe_interval,
    ...tlsOf({
      key: values.ovn_nb_private_key,
      certificate: values.ovn_nb_certificate,
      authorities: values.ovn_nb_ca_cert,
    }),
  })
  tellStatus(client, 'OVN_Northbound', log)
  const datapath = await openChassisDatapath(given)
  const management = await openManagement(state, datapath.routes, log)
  await inventory.ready
  const southbound = datapath.connectSouthbound([CHASSIS_TABLE])
  const northbound = keepNorthbound({
    client,
    southbound,
    source: inventory,
    mark: markOf(state.path),
    settings: { dnsDomain: values.dns_domain, distributedFloatingIps: values.enable_distributed_floating_ip },
    log,
  })
  await northbound.look()
  await datapath.start()
  return {
    inventory,
    chassisName: datapath.chassisName,
    teardown: async () => {
      await management.close()
      await northbound.clear()
      await datapath.teardown()
      await client.close()
      await southbound.close()
      inventory.close()
      await store.close()
    },
  }
}
