import { isDeepStrictEqual } from 'node:util'
import { wantedRows } from '../../../metadata-agent/ovn/conditions.ts'
import { chassisOf } from '../../../metadata-agent/ovn/southbound.ts'
import type { OvsdbClient } from '../../../ovsdb/ovsdb.ts'
import { type Asked, candidates, namedDatapaths, networkClauses, subjectClauses } from './subject.ts'
import { CHASSIS, CHASSIS_PRIVATE, DATAPATH_BINDING, PORT_BINDING } from './tables.ts'

/** Rows bring others that are wanted: chassis, ports, their networks, the ports of these, where they are bound. */
const MOST_ROUNDS = 6

/** Asks the Southbound for what the agent of this chassis would, and for one guest wherever it is, until nothing is wanted
 *  more. Never the whole cloud. */
export async function fetchRows(southbound: OvsdbClient, chassisName: string, asked: Asked): Promise<void> {
  let before: unknown
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const wanted = conditions(southbound, chassisName, asked)
    if (isDeepStrictEqual(wanted, before)) return
    before = wanted
    await Promise.all([
      southbound.setCondition(CHASSIS, wanted.chassis),
      southbound.setCondition(CHASSIS_PRIVATE, [['name', '==', chassisName]]),
      southbound.setCondition(PORT_BINDING, wanted.ports),
      southbound.setCondition(DATAPATH_BINDING, wanted.datapaths),
    ])
  }
}

function conditions(rows: OvsdbClient, chassisName: string, asked: Asked) {
  const { ports, datapaths } = wantedRows(rows, chassisName)
  const guests = candidates(rows, asked)
  const networks = [...new Set([...guests.map(({ datapath }) => datapath), ...namedDatapaths(rows, asked)])].sort()
  const places = guests.flatMap(chassisOf)
  return {
    chassis: [
      ['name', '==', chassisName] as const,
      ...[...new Set(places)].sort().map((uuid) => ['_uuid', '==', uuid] as const),
    ],
    ports: [
      ...(ports || []),
      ...subjectClauses(asked),
      ...networks.map((datapath) => ['datapath', '==', datapath] as const),
    ],
    datapaths: [
      ...(datapaths || []),
      ...networkClauses(asked),
      ...networks.map((datapath) => ['_uuid', '==', datapath] as const),
    ],
  }
}
