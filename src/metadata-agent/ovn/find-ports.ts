import type { NetworkId, ProjectId } from '../../inventory/records/ids.ts'
import type { Port } from '../../inventory/records/port.ts'
import type { RowOf, Rows } from '../../ovsdb/ovsdb.ts'
import type { Client, FoundPort } from '../port-directory.ts'
import { chassisOf, DATAPATH_BINDING, onDatapath, PORT_BINDING } from './southbound.ts'

/**
 * The ports that can be behind a request from a network's namespace. Costs two or three index look-ups.
 *
 * As neutron's agent, it knows only ports that are bound; ours also those bound next: a chassis requested, or the target
 * of a migration, so that a guest that boots before ovn-controller says so gets its answer. Addresses are compared as
 * addresses, and a MAC in place of one finds nothing (neutron's agent: 200).
 */
export function findPorts(rows: Rows, networkId: NetworkId, client: Client): readonly FoundPort[] {
  return rows
    .find(DATAPATH_BINDING, 'byNetwork', networkId)
    .flatMap(({ _uuid }) =>
      'mac' in client
        ? rows.find(PORT_BINDING, 'byMac', onDatapath(_uuid, client.mac))
        : rows.find(PORT_BINDING, 'byAddress', onDatapath(_uuid, client.fixedIp)),
    )
    .filter((row) => chassisOf(row).length > 0)
    .map((row) => portOf(row, networkId))
}

function portOf({ logical_port, external_ids }: RowOf<typeof PORT_BINDING>, networkId: NetworkId): FoundPort {
  return {
    id: logical_port as Port['id'],
    networkId,
    projectId: (external_ids.get('neutron:project_id') ?? '') as ProjectId,
    deviceId: external_ids.get('neutron:device_id') ?? '',
    deviceOwner: external_ids.get('neutron:device_owner') ?? '',
  }
}
