import type { SwitchFacts, SwitchInterface } from '../../../explain/ovn/facts.ts'
import type { RowOf, Rows } from '../../../ovsdb/ovsdb.ts'
import { BRIDGE, INTERFACE, OPEN_VSWITCH, PORT } from './tables.ts'

const USUAL_BRIDGE = 'br-int'

/** A value of external_ids of Open_vSwitch. */
export function switchId(rows: Rows, key: string): string | undefined {
  return Array.from(rows.all(OPEN_VSWITCH))[0]?.external_ids.get(key)
}

/** What Open vSwitch has of a guest and of its network's metadata port. Pure.
 *  @param guest     the logical port's name, and so the iface-id
 *  @param metadata  likewise */
export function switchFacts(rows: Rows, guest: string | undefined, metadata: string | undefined): SwitchFacts {
  const bridge = switchId(rows, 'ovn-bridge') ?? USUAL_BRIDGE
  const [row] = rows.find(BRIDGE, 'byName', bridge)
  const named = (id: string | undefined) =>
    id === undefined ? [] : rows.find(INTERFACE, 'byIfaceId', id).map((one) => interfaceOf(rows, one))
  return {
    systemId: switchId(rows, 'system-id'),
    bridge,
    hasBridge: row !== undefined,
    isUserspace: row?.datapath_type === 'netdev',
    guest: named(guest),
    metadata: named(metadata),
  }
}

function interfaceOf(rows: Rows, { _uuid, name, ...row }: RowOf<typeof INTERFACE>): SwitchInterface {
  const [port] = rows.find(PORT, 'byInterface', _uuid)
  const [bridge] = port === undefined ? [] : rows.find(BRIDGE, 'byPort', port._uuid)
  return {
    name,
    bridge: bridge?.name,
    ofport: row.ofport,
    error: row.error ?? '',
    mtu: row.mtu,
    isUp: row.admin_state !== 'down',
  }
}
