import { integer, map, reference, set, table, text } from '../../ovsdb/ovsdb.ts'

/** The part of Open vSwitch's own database that plugging a port takes. */

/** One row. */
export const OPEN_VSWITCH = table('Open_vSwitch', {
  external_ids: map(text, text),
  /** How often the database was changed, for the switch to act on; and how far it has come. */
  next_cfg: integer,
  cur_cfg: integer,
})

export const BRIDGE = table(
  'Bridge',
  { name: text, ports: set(reference) },
  { indexes: { byName: (row) => row.name, byPort: (row) => row.ports } },
)

export const PORT = table(
  'Port',
  { name: text, interfaces: set(reference), external_ids: map(text, text) },
  { indexes: { byName: (row) => row.name, byOwner: (row) => row.external_ids.get(OWNER_KEY) } },
)

export const INTERFACE = table('Interface', { name: text, external_ids: map(text, text) })

export const LOCAL_TABLES = [OPEN_VSWITCH, BRIDGE, PORT, INTERFACE]

/** In Port.external_ids: our mark. Neutron's agent leaves none, so nobody can tell its leftovers. */
export const OWNER_KEY = 'firstboot'
export const IFACE_ID_KEY = 'iface-id'
