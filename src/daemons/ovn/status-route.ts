import type { OvsdbClient } from '../../ovsdb/ovsdb.ts'
import type { ManagementRoutes } from '../management.ts'

/** What a daemon on a chassis says of itself over its management socket, `GET /ovn/status`. */
export interface OvnStatus {
  readonly chassis: string
  readonly databases: readonly DatabaseStatus[]
}

export interface DatabaseStatus {
  readonly database: string
  /** null: it is connected, and its rows are known. */
  readonly problem: string | null
}

/** @param clients  by the name of their database */
export function ovnStatusRoute(chassis: string, clients: Readonly<Record<string, OvsdbClient>>): ManagementRoutes {
  const reasons = new Map<string, string>()
  for (const [database, client] of Object.entries(clients))
    client.onStatus((status) => {
      if (status.state === 'disconnected') reasons.set(database, `${status.remote}: ${status.reason.message}`)
    })
  return {
    'GET /ovn/status': async (): Promise<OvnStatus> => ({
      chassis,
      databases: Object.entries(clients).map(([database, { status }]) => ({
        database,
        problem: status.state === 'synchronized' ? null : (reasons.get(database) ?? status.state),
      })),
    }),
  }
}
