import { byServer } from '../../../daemons/ovn/databases.ts'
import { tlsOf } from '../../../daemons/ovn/tls.ts'
import { patience } from '../../../host/slowdown.ts'
import { type AnyTable, type OvsdbClient, openOvsdb } from '../../../ovsdb/ovsdb.ts'
import { NB_GLOBAL } from './tables.ts'

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
  /** Why it cannot be read now, without where it is unless several servers have it; undefined: it can. */
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
  return openOvsdb({ remotes, database: 'OVN_Northbound', tables: [NB_GLOBAL], ...tlsOf('ovn_nb', values) })
}

/** Waits until each of its servers was tried once. The client goes on trying, and is to be closed. */
export async function reached(client: OvsdbClient): Promise<Reached> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  const reasons = new Map<string, string>()
  const milliseconds = patience(PATIENCE_MILLISECONDS)
  const late = () => {
    const seen = reasons.size === 0 ? '' : `${byServer(reasons)}; `
    resolve(`${seen}no answer within ${milliseconds} ms`)
  }
  const timer = setTimeout(late, milliseconds)
  const end = client.onStatus((status) => {
    if (status.state === 'synchronized') resolve(undefined)
    if (status.state === 'disconnected') reasons.set(status.remote, status.reason.message)
    // All servers were tried.
    if (status.state === 'waiting') resolve(withoutPlace(reasons))
  })
  if (client.status.state === 'synchronized') resolve(undefined)
  const problem = await promise
  clearTimeout(timer)
  end()
  return { client, problem }
}

/** The one reason of an only server; whoever tells it says where that is. */
function withoutPlace(reasons: ReadonlyMap<string, string>): string {
  const [only = 'no server answers', ...others] = reasons.values()
  return others.length === 0 ? only : byServer(reasons)
}
