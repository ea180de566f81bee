import * as local from '../../../datapath/open-vswitch/tables.ts'
import * as agent from '../../../metadata-agent/ovn/southbound.ts'
import { boolean, ifPresent, integer, optional, table, text } from '../../../ovsdb/ovsdb.ts'

/** The tables that the daemon reads, with the columns that only an explanation goes by. */

export const BRIDGE = table(
  'Bridge',
  { ...local.BRIDGE.columns, datapath_type: text },
  { indexes: local.BRIDGE.indexes },
)

export const INTERFACE = table(
  'Interface',
  {
    ...local.INTERFACE.columns,
    ofport: optional(integer),
    error: ifPresent(optional(text)),
    mtu: optional(integer),
    admin_state: optional(text),
  },
  { indexes: { byIfaceId: (row) => row.external_ids.get(local.IFACE_ID_KEY) } },
)

export const PORT = table('Port', local.PORT.columns, {
  indexes: { ...local.PORT.indexes, byInterface: (row) => row.interfaces },
})

export const { OPEN_VSWITCH } = local

export const LOCAL_TABLES = [OPEN_VSWITCH, BRIDGE, PORT, INTERFACE]

export const PORT_BINDING = table(
  'Port_Binding',
  { ...agent.PORT_BINDING.columns, up: ifPresent(optional(boolean)) }, // since OVN 21.03
  { indexes: { ...agent.PORT_BINDING.indexes, byName: (row) => row.logical_port } },
)

export const CHASSIS_PRIVATE = table(
  'Chassis_Private',
  { ...agent.CHASSIS_PRIVATE.columns, nb_cfg: integer },
  { indexes: agent.CHASSIS_PRIVATE.indexes, mayBeAbsent: true },
)

/** In the Northbound; ovn-northd copies it to SB_Global. */
export const NB_GLOBAL = table('NB_Global', { nb_cfg: integer })

export const { CHASSIS, DATAPATH_BINDING, SB_GLOBAL } = agent

export const SOUTHBOUND_TABLES = [PORT_BINDING, DATAPATH_BINDING, CHASSIS, CHASSIS_PRIVATE, SB_GLOBAL]
