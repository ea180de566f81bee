import type { AnyTable, OvsdbClient } from '../../ovsdb/ovsdb.ts'
import { CHASSIS_PRIVATE, PORT_BINDING } from './southbound.ts'

/** What OVN learned after the first release that ML2/OVN was made for, and how it is without. */
const FEATURES: readonly {
  readonly table: AnyTable
  readonly column: string
  readonly since: string
  readonly without: string
}[] = [
  {
    table: PORT_BINDING,
    column: 'requested_chassis',
    since: '21.03',
    without: 'a guest is answered once its port is bound here, not before',
  },
  {
    table: PORT_BINDING,
    column: 'additional_chassis',
    since: '22.06',
    without: 'a guest that is on its way here is answered once its port is bound here',
  },
  {
    table: PORT_BINDING,
    column: 'requested_additional_chassis',
    since: '22.06',
    without: 'a guest that is to migrate here is answered once its port is bound here',
  },
  {
    table: CHASSIS_PRIVATE,
    column: 'external_ids',
    since: '20.09',
    without: 'the agent registers in Chassis',
  },
]

/** What the Southbound database at hand is too old for, one a line; none of one that is newer. Pure. */
export function missingFeatures(southbound: Pick<OvsdbClient, 'hasColumn'>): readonly string[] {
  return FEATURES.filter(({ table, column }) => !southbound.hasColumn(table, column)).map(
    ({ table, column, since, without }) => `no ${table.name}.${column} (since OVN ${since}): ${without}`,
  )
}
