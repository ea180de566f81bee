import type { Clause, Rows, Uuid } from '../../ovsdb/ovsdb.ts'
import { CHASSIS, type DATAPATH_BINDING, PORT_BINDING } from './southbound.ts'

/** Which rows of the cloud one chassis asks for. */
export interface Wanted {
  readonly ports: false | readonly Clause<typeof PORT_BINDING.columns>[]
  readonly datapaths: false | readonly Clause<typeof DATAPATH_BINDING.columns>[]
  /** Whom the clauses name. */
  readonly named: { readonly chassis: Uuid | undefined; readonly datapaths: readonly Uuid[] }
}

/**
 * What to ask for next, by what is known. Pure. In three stages, each of which brings what the next one needs:
 *
 * 1. nothing, until the row of our chassis is there (clauses name it by its uuid);
 * 2. the ports that are, will be, or are moving here;
 * 3. with them, all ports of their networks: the metadata port, and who else may ask.
 *
 * Rows of the third stage do not widen it again, so it comes to rest.
 */
export function wantedRows(rows: Rows, chassisName: string): Wanted {
  const [chassis] = rows.find(CHASSIS, 'byName', chassisName)
  if (chassis === undefined) return { ports: false, datapaths: false, named: { chassis: undefined, datapaths: [] } }
  const datapaths = localDatapaths(rows, chassis._uuid)
  return {
    ports: [
      ['chassis', '==', chassis._uuid],
      ['requested_chassis', '==', chassis._uuid],
      ['additional_chassis', 'includes', [chassis._uuid]],
      ['requested_additional_chassis', 'includes', [chassis._uuid]],
      ...datapaths.map((datapath) => ['datapath', '==', datapath] as const),
    ],
    datapaths: datapaths.map((datapath) => ['_uuid', '==', datapath] as const),
    named: { chassis: chassis._uuid, datapaths },
  }
}

/** The datapaths that a guest of this chassis is on, or soon will be, in ascending order. */
export function localDatapaths(rows: Rows, chassis: Uuid): readonly Uuid[] {
  return [...new Set(rows.find(PORT_BINDING, 'byChassis', chassis).map(({ datapath }) => datapath))].sort()
}
