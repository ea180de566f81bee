import { tlsOf } from '../../../daemons/ovn/tls.ts'
import { type AnyTable, type OvsdbClient, openOvsdb } from '../../../ovsdb/ovsdb.ts'

/** What a daemon on a chassis is told of its databases. */
export interface ChassisConnections {
  readonly ovsdb_connection: string
  readonly ovn_sb_connection: string
  readonly ovn_sb_private_key: string
  readonly ovn_sb_certificate: string
  readonly ovn_sb_ca_cert: string
}

/** The same of one that writes the Northbound. */
export interface OvnConnections extends ChassisConnections {
  readonly ovn_nb_connection: string
  readonly ovn_nb_private_key: string
  readonly ovn_nb_certificate: string
  readonly ovn_nb_ca_cert: string
}

/** A database that was tried once. */
export interface Reached {
  readonly client: OvsdbClient
  /** Why it cannot be read now; undefined: it can. */
  readonly problem: string | undefined
}

/** A healthy server answers in milliseconds; whoever explains has seconds in all. */
const PATIENCE_MILLISECONDS = 900

export function openLocal({ ovsdb_connection: remotes }: ChassisConnections, tables: readonly AnyTable[]): OvsdbClient {
  return openOvsdb({ remotes, database: 'Open_vSwitch', tables })
}

export function openSouthbound(
  remotes: string,
  values: ChassisConnections,
  tables: readonly AnyTable[],
  leaderOnly = false,
): OvsdbClient {
  return openOvsdb({
    remotes,
    database: 'OVN_Southbound',
    tables,
    leaderOnly,
    ...tlsOf('ovn_sb', values),
  })
}

export function openNorthbound(values: OvnConnections): OvsdbClient {
  const remotes = values.ovn_nb_connection
  return openOvsdb({ remotes, database: 'OVN_Northbound', tables: [], ...tlsOf('ovn_nb', values) })
}

/** Waits until each of its servers was tried once. The client goes on trying, and is to be closed. */
export async function reached(client: OvsdbClient): Promise<Reached> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  let reason = 'no server answers'
  const timer = setTimeout(() => resolve(`${reason} within ${PATIENCE_MILLISECONDS} ms`), PATIENCE_MILLISECONDS)
  const end = client.onStatus((status) => {
    if (status.state === 'synchronized') resolve(undefined)
    if (status.state === 'disconnected') reason = status.reason.message
    // All servers were tried.
    if (status.state === 'waiting') resolve(reason)
  })
  if (client.status.state === 'synchronized') resolve(undefined)
  const problem = await promise
  clearTimeout(timer)
  end()
  return { client, problem }
}

const LOCK_MILLISECONDS = 300

/** Whether an ovn-northd lives: it holds a lock of the Southbound, for which we stand in line. Where nobody holds it, it is
 *  ours for a moment, and given back. */
export async function hasNorthd(southbound: OvsdbClient): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(true), LOCK_MILLISECONDS)
  const lock = southbound.lock('ovn_northd', { onChange: (isHeld) => isHeld && resolve(false) })
  if (lock.isHeld) resolve(false)
  const found = await promise
  clearTimeout(timer)
  await lock.release()
  return found
}
