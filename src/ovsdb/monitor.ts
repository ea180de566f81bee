import { type Binding, bindTables, describeBinding, presentColumns } from './bound-table.ts'
import { createConditions, type WantedCondition } from './conditions.ts'
import { ProtocolError, RequestRefused } from './errors.ts'
import type { Changes, Replacement, Replica } from './replica.ts'
import type { Rpc } from './rpc.ts'
import type { DatabaseSchema } from './schema.ts'
import type { AnyTable } from './table.ts'
import { type Dialect, readDump, readUpdates } from './updates.ts'

/** The ways to ask a server for changes, best first. Older servers do not know the first ones. */
export type MonitorMethod = 'monitor_cond_since' | 'monitor_cond' | 'monitor'

const METHODS: readonly MonitorMethod[] = ['monitor_cond_since', 'monitor_cond', 'monitor']
const DIALECT: Readonly<Record<MonitorMethod, Dialect>> = {
  monitor_cond_since: 'update2',
  monitor_cond: 'update2',
  monitor: 'update',
}

/** Where the updates are among the parameters of a notification; before them stands the monitor's id. */
const NOTIFICATIONS: ReadonlyMap<string, { readonly dialect: Dialect; readonly updates: number }> = new Map([
  ['update', { dialect: 'update', updates: 1 }],
  ['update2', { dialect: 'update2', updates: 1 }],
  ['update3', { dialect: 'update2', updates: 2 }],
])

/** No transaction: the whole of the tables is wanted. Servers without history say that they are at this one. */
const NOTHING_SEEN = '00000000-0000-0000-0000-000000000000'

/** Keeps the rows of one database true, over any number of connections. */
export interface Monitor {
  /** Asks for the rows, and takes them in before it resolves: what changed since the last connection where the server
   *  still knows, else everything. @throws SchemaMismatch, RequestRefused, Disconnected, ProtocolError */
  start(rpc: Rpc, schema: DatabaseSchema): Promise<MonitorMethod>
  /** @returns whether the server stopped monitoring. Start anew, then. @throws ProtocolError */
  receive(method: string, params: readonly unknown[]): 'canceled' | undefined
  /** The connection has ended. */
  stop(): void
  /** Resolves when the rows are those of the condition, however many connections that takes. */
  setCondition(table: AnyTable, condition: WantedCondition): Promise<void>
  hasColumn(table: AnyTable, column: string): boolean
  /** Nothing will come any more. */
  close(reason: Error): void
}

export interface MonitorOptions {
  readonly database: string
  readonly tables: readonly AnyTable[]
  readonly replica: Replica
  readonly onChanges: (changes: Changes) => void
}

interface Running {
  readonly rpc: Rpc
  readonly id: readonly [string, number]
  readonly method: MonitorMethod
}

export function createMonitor({ database, tables, replica, onChanges }: MonitorOptions): Monitor {
  const conditions = createConditions()
  let lastTransaction = NOTHING_SEEN
  let binding: Binding = new Map() // what the rows in memory were read by
  let running: Running | undefined
  let starts = 0

  async function start(rpc: Rpc, schema: DatabaseSchema): Promise<MonitorMethod> {
    const bound = bindTables(tables, schema)
    if (describeBinding(bound) !== describeBinding(binding)) lastTransaction = NOTHING_SEEN
    for (const method of METHODS) {
      try {
        await request(rpc, method, bound)
        sendConditions()
        return method
      } catch (error) {
        if (!(error instanceof RequestRefused) || error.code !== 'unknown method' || method === 'monitor') throw error
      }
    }
    throw new ProtocolError('The server knows no way to monitor')
  }

  async function request(rpc: Rpc, method: MonitorMethod, bound: Binding): Promise<void> {
    const since = method === 'monitor_cond_since' ? lastTransaction : NOTHING_SEEN
    // What changed since then under other conditions says nothing of the rows that only the new ones bring.
    const used = conditions.begin(since === NOTHING_SEEN)
    starts += 1
    const current = { rpc, method, id: [database, starts] } as const
    const requests = [...bound].map(([name, table]) => {
      const selected = method === 'monitor' ? {} : selection(used.where(table))
      return [name, [{ columns: presentColumns(table), ...selected }]] as const
    })
    const params = [database, current.id, Object.fromEntries(requests)]
    await rpc.call(method, method === 'monitor_cond_since' ? [...params, since] : params, (result) => {
      takeIn(method, bound, result)
      running = current
      used.done(method !== 'monitor')
    })
  }

  function takeIn(method: MonitorMethod, bound: Binding, result: unknown): void {
    const { isFound, transaction, updates } = readReply(method, result)
    const names = tables.map(({ name }) => name)
    const replacements = isFound
      ? readUpdates(DIALECT[method], bound, replica, updates)
      : readDump(DIALECT[method], bound, replica, names, updates)
    binding = bound
    lastTransaction = transaction
    apply(replacements)
  }

  function apply(replacements: readonly Replacement[]): void {
    const changes = replica.apply(replacements)
    if (changes !== undefined) onChanges(changes)
  }

  function isOurs(id: unknown): boolean {
    return running !== undefined && JSON.stringify(id) === JSON.stringify(running.id)
  }

  function sendConditions(): void {
    const current = running
    if (current === undefined || current.method === 'monitor') return
    const changed = conditions.beginChange()
    if (changed === undefined) return
    if (changed.tables.length === 0) {
      changed.done(true)
      return
    }
    const requests = changed.tables.flatMap((table) => {
      const bound = binding.get(table)
      return bound === undefined ? [] : [[table, [{ where: changed.where(bound) }]] as const]
    })
    current.rpc
      .call('monitor_cond_change', [current.id, current.id, Object.fromEntries(requests)], () => changed.done(true))
      .then(sendConditions, (error) => current.rpc.end(error))
  }

  function stop(): void {
    running = undefined
    // The server may have sent the rows of a condition in part: nobody knows of which transaction they are.
    if (conditions.stop()) lastTransaction = NOTHING_SEEN
  }

  return {
    start,

    receive(method, params) {
      if (method === 'monitor_canceled' && isOurs(params[0])) {
        stop()
        return 'canceled'
      }
      const form = NOTIFICATIONS.get(method)
      if (form === undefined || !isOurs(params[0])) return undefined
      apply(readUpdates(form.dialect, binding, replica, params[form.updates]))
      if (method === 'update3' && typeof params[1] === 'string') lastTransaction = params[1]
      return undefined
    },

    stop,

    async setCondition(table, condition) {
      const taken = conditions.want(table.name, condition, running?.method === 'monitor')
      queueMicrotask(sendConditions) // those that are set in one go are one request
      await taken
    },

    hasColumn: (table, column) =>
      binding.get(table.name)?.columns.some(({ name, datum }) => name === column && datum !== undefined) ?? false,

    close: (reason) => conditions.close(reason),
  }
}

/** For a dump, a server copies all rows of a table before it looks which of them are wanted: 0.2 s of its time for 100,000
 *  ports. So where none is, it is told to leave that. Later conditions bring rows as inserts. */
function selection(where: readonly unknown[]) {
  const isNone = where.length === 1 && where[0] === false
  return isNone ? { where, select: { initial: false } } : { where }
}

function readReply(
  method: MonitorMethod,
  result: unknown,
): { readonly isFound: boolean; readonly transaction: string; readonly updates: unknown } {
  if (method !== 'monitor_cond_since') return { isFound: false, transaction: NOTHING_SEEN, updates: result }
  if (!Array.isArray(result) || typeof result[1] !== 'string')
    throw new ProtocolError('The reply to monitor_cond_since is not [found, transaction, updates]')
  return { isFound: result[0] === true, transaction: result[1], updates: result[2] }
}
