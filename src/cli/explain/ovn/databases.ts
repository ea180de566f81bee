import type { OvnStatus } from '../../../daemons/ovn/status-route.ts'
import type { DatabaseAccess } from '../../../explain/ovn/facts.ts'
import type { Known } from '../../../host/examine/known.ts'
import { patience } from '../../../host/slowdown.ts'
import type { OvsdbClient } from '../../../ovsdb/ovsdb.ts'
import { type OvnConnections, openLocal, openNorthbound, openSouthbound, reached } from './connect.ts'
import { fetchRows } from './follow.ts'
import type { Asked } from './subject.ts'
import { switchId } from './switch.ts'
import { LOCAL_TABLES, SOUTHBOUND_TABLES } from './tables.ts'

/** The databases of a chassis, read once and followed until they are closed. */
export interface Databases {
  /** undefined: it cannot be read. */
  readonly local: OvsdbClient | undefined
  /** Has the rows that one guest and this chassis need; undefined: it cannot be read. */
  readonly southbound: OvsdbClient | undefined
  /** Where the Southbound is; undefined: nobody says. */
  readonly remote: string | undefined
  /** `system-id` */
  readonly chassisName: string | undefined
  /** undefined: nobody here writes it, or it cannot be read. */
  readonly northbound: OvsdbClient | undefined
  access(status: OvnStatus | undefined): readonly DatabaseAccess[]
  /** Whether an ovn-northd is there. */
  hasNorthd(): Promise<Known<boolean>>
  close(): Promise<void>
}

const FETCH_MILLISECONDS = 1_000

/** @param hasNorthbound  the daemon writes it */
export async function openDatabases(values: OvnConnections, asked: Asked, hasNorthbound: boolean): Promise<Databases> {
  const opened: OvsdbClient[] = []
  const keep = (client: OvsdbClient) => {
    opened.push(client)
    return client
  }
  const northbound = hasNorthbound ? reached(keep(openNorthbound(values))) : undefined
  const local = await reached(keep(openLocal(values, LOCAL_TABLES)))
  const isLocal = local.problem === undefined
  const chassisName = isLocal ? switchId(local.client, 'system-id') : undefined
  const remote = values.ovn_sb_connection || (isLocal ? switchId(local.client, 'ovn-remote') : undefined)
  const southbound =
    remote === undefined
      ? { problem: 'nobody says where it is', client: undefined }
      : await openedSouthbound(keep(openSouthbound(remote, values, SOUTHBOUND_TABLES)), chassisName ?? '', asked)
  const north = await northbound
  return {
    local: isLocal ? local.client : undefined,
    southbound: southbound.problem === undefined ? southbound.client : undefined,
    northbound: north?.problem === undefined ? north?.client : undefined,
    remote,
    chassisName,
    access: (status) => {
      const daemonProblem = (name: string) =>
        status?.databases.find(({ database }) => database === name)?.problem ?? undefined
      const of = (name: DatabaseAccess['name'], at: string | undefined, problem: string | undefined) => ({
        name,
        remote: at,
        problem,
        daemonProblem: daemonProblem(name),
      })
      return [
        of('Open_vSwitch', values.ovsdb_connection, local.problem),
        of('OVN_Southbound', remote, southbound.problem),
        ...(north === undefined ? [] : [of('OVN_Northbound', values.ovn_nb_connection, north.problem)]),
      ]
    },
    hasNorthd: async () => {
      if (remote === undefined || southbound.problem !== undefined) return { unknown: 'the Southbound cannot be read' }
      // Locks are each server's own; northd keeps to the leader.
      const leader = await reached(keep(openSouthbound(remote, values, [], true)))
      return leader.problem === undefined ? await hasNorthd(leader.client) : { unknown: leader.problem }
    },
    close: async () => {
      await Promise.all(opened.map((client) => client.close()))
    },
  }
}

/**
 * Whether an ovn-northd is there: the active one holds a lock of the Southbound, which ends with its connection.
 *
 * What OVN itself offers for the purpose, raising nb_cfg of NB_Global and waiting for sb_cfg (`ovn-nbctl --wait=sb sync`), is a
 * write into a database that hosts of a cloud cannot reach as a rule, and that every ovn-controller and metadata agent of the
 * cloud answers with a write of its own. nb_cfg that is only read says nothing while nobody raises it; where it was raised,
 * `northd-behind` goes by it. The locks in the status of the table Connection are those of one connection of many.
 */
async function hasNorthd(leader: OvsdbClient): Promise<Known<boolean>> {
  try {
    return { value: await leader.isLockTaken('ovn_northd') }
  } catch (error) {
    return { unknown: error instanceof Error ? error.message : String(error) }
  }
}

/** Conditions are set before anything is awaited: else all of the cloud's ports would come first. */
async function openedSouthbound(client: OvsdbClient, chassisName: string, asked: Asked) {
  const { promise: late, resolve } = Promise.withResolvers<string>()
  const timer = setTimeout(() => resolve('it is too slow to be read'), patience(FETCH_MILLISECONDS))
  const fetched = fetchRows(client, chassisName, asked).then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  const { problem } = await reached(client)
  const all = problem ?? (await Promise.race([fetched, late]))
  clearTimeout(timer)
  return { client, problem: all }
}
