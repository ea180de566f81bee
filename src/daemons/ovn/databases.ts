import type { Condition } from '../../observe/health.ts'
import type { Log } from '../../observe/log.ts'
import type { DatabaseFigures } from '../../observe/metrics/metrics.ts'
import type { AnyTable, OvsdbClient } from '../../ovsdb/ovsdb.ts'

/** The databases that a daemon follows, for who asks how they are. */
export interface Databases {
  /** One of `names` from now on is this. Each connection made and lost is told to the log. */
  follow(database: string, client: OvsdbClient, tables: readonly AnyTable[]): void
  /** One that is not followed yet will be once this is over. */
  waitsFor(database: string, why: string): void
  /** Of those that are followed by now. */
  readonly figures: () => readonly DatabaseFigures[]
  /** Each is synchronized. */
  readonly ready: readonly Condition[]
}

interface Followed {
  readonly client: OvsdbClient
  readonly tables: readonly AnyTable[]
  readonly synchronizations: Map<string, number>
  /** Why each server was left, or not reached; of none while there is a connection. */
  readonly reasons: Map<string, string>
}

/** @param names  of all that will be followed, in the order in which that happens */
export function openDatabases(names: readonly string[], log: Log): Databases {
  const all = new Map<string, Followed>()
  const waits = new Map<string, string>()
  return {
    follow: (database, client, tables) => {
      const followed: Followed = { client, tables, synchronizations: new Map(), reasons: new Map() }
      const { synchronizations, reasons } = followed
      all.set(database, followed)
      client.onStatus((status) => {
        if (status.state === 'synchronized') {
          const { remote, method } = status
          reasons.clear()
          synchronizations.set(method, (synchronizations.get(method) ?? 0) + 1)
          log.info({ database, remote, method }, 'database is synchronized')
        } else if (status.state === 'disconnected' && status.reason.message !== reasons.get(status.remote)) {
          const { remote, reason } = status
          reasons.set(remote, reason.message)
          log.warn({ database, remote, reason: reason.message }, 'database is not connected')
        }
      })
    },
    waitsFor: (database, why) => {
      waits.set(database, why)
    },
    figures: () =>
      Array.from(all, ([database, { client, tables, synchronizations }]) => ({
        database,
        isSynchronized: client.status.state === 'synchronized',
        synchronizations,
        rows: new Map(tables.map((table) => [table.name, client.count(table)])),
      })),
    ready: names.map((name) => ({
      name,
      whyNot: () => {
        const followed = all.get(name)
        if (followed === undefined) return waits.get(name) ?? 'it is asked when those before it are known'
        if (followed.client.status.state === 'synchronized') return undefined
        return followed.reasons.size === 0 ? 'it is being read' : `it is not connected: ${byServer(followed.reasons)}`
      },
    })),
  }
}

/** Why none of its servers will do. @param reasons  of each, by its remote */
export function byServer(reasons: ReadonlyMap<string, string>): string {
  return Array.from(reasons, ([remote, why]) => `${why} (${remote})`).join('; ')
}

/** For who asks too early for what only all of them tell. */
export function waitedFor({ ready }: Pick<Databases, 'ready'>): string {
  const unknown = ready.flatMap(({ name, whyNot }) => {
    const why = whyNot()
    return why === undefined ? [] : [`${name}: ${why}`]
  })
  if (unknown.length > 0) return `the databases are waited for. ${unknown.join('; ')}`
  return 'the networks of this chassis are waited for: it may have no row in the Southbound yet, which ovn-controller makes'
}
