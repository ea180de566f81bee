import { boolean, integer, optional, reference, text, type Uuid } from './column.ts'
import { Disconnected } from './errors.ts'
import { type RowOf, table } from './table.ts'

/** What a server tells of the databases it has, in its own database `_Server`. @see ovsdb-server(5) */
export const DATABASES = table('Database', {
  name: text,
  model: text,
  connected: boolean,
  leader: boolean,
  schema: optional(text),
  cid: optional(reference),
  index: optional(integer),
})

/** How far the log of a cluster went, as a server told. */
export interface Progress {
  readonly cluster: Uuid | undefined
  readonly index: number
}

export interface Requirements {
  readonly database: string
  /** Of a cluster, only the leader will do: the others may be a little behind. */
  readonly leaderOnly: boolean
  /** What earlier servers told: one that is behind them would take us back in time. */
  readonly seen: Progress | undefined
}

/** The server will not do; another one may. */
export class Unsuitable extends Disconnected {
  override readonly name: string = 'Unsuitable'
}

/** Why a server will not do, or undefined when it will. Pure. */
export function whyUnsuitable(
  row: RowOf<typeof DATABASES> | undefined,
  { database, leaderOnly, seen }: Requirements,
): string | undefined {
  if (row === undefined) return `The server has no database ${database}`
  if (row.model === 'standalone') return undefined
  if (row.schema === undefined) return 'The server has not joined its cluster yet'
  if (!row.connected) return 'The server has lost its cluster'
  if (row.model !== 'clustered') return undefined
  if (leaderOnly && !row.leader) return 'The server is not the leader of its cluster'
  // A cluster that was set up anew counts from the beginning.
  const least = seen !== undefined && seen.cluster === row.cid ? seen.index : 0
  return (row.index ?? 0) < least ? `The server is behind: at ${row.index ?? 0} of ${least}` : undefined
}
