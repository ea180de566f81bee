import { type Clock, systemClock } from './clock.ts'
import { type Clause, encodeClauses } from './condition.ts'
import { Disconnected, NotConnected, UnknownOutcome } from './errors.ts'
import { DEFAULT_LIMITS, type JsonLimits } from './json-stream.ts'
import { createLocks, type Lock, type LockOptions } from './locks.ts'
import { createMonitor, type MonitorMethod } from './monitor.ts'
import type { Operation } from './operation.ts'
import { keepConnected } from './reconnect.ts'
import { formatRemote, parseRemotes, type Remote } from './remote.ts'
import { type Changes, createReplica, type Rows } from './replica.ts'
import type { Rpc } from './rpc.ts'
import type { Progress } from './server-database.ts'
import { runSession } from './session.ts'
import type { AnyTable } from './table.ts'
import { type Results, readResults } from './transaction.ts'
import { dial, type TlsSource } from './transport.ts'

export interface OvsdbOptions {
  /** `unix:/run/openvswitch/db.sock`, `ssl:10.0.0.1:6642,ssl:[fd00::2]:6642`: the servers of one database. */
  readonly remotes: string
  readonly database: string
  /** Rows of these tables are kept in memory. */
  readonly tables: readonly AnyTable[]
  /** Of a cluster, connect to the leader only. Default: false. */
  readonly leaderOnly?: boolean
  readonly tls?: TlsSource
  /** Silence after which the server is asked for a sign of life, and as long again until it is given up. Default: 5 s; 0: never. */
  readonly probeMilliseconds?: number
  /** Default: 5 s. */
  readonly connectMilliseconds?: number
  readonly limits?: JsonLimits
  readonly clock?: Clock
  readonly random?: () => number
}

/** What the client is doing. */
export type Status =
  | { readonly state: 'connecting'; readonly remote: string }
  /** The rows are those of the server and stay so. */
  | { readonly state: 'synchronized'; readonly remote: string; readonly method: MonitorMethod }
  /** The rows are those of the moment before. Another attempt, or a pause, follows. */
  | { readonly state: 'disconnected'; readonly remote: string; readonly reason: Error }
  | { readonly state: 'waiting'; readonly milliseconds: number }
  | { readonly state: 'closed' }

/** The rows of a database, kept true, and a way to change them. */
export interface OvsdbClient extends Rows {
  readonly status: Status
  /** Resolves when the rows are those of the server. @throws NotConnected once the client is closed */
  synchronized(): Promise<void>
  /** Whether the server at hand has a column. */
  hasColumn<T extends AnyTable>(table: T, column: keyof T['columns'] & string): boolean
  /** Which rows of a table are wanted: all (as without a call), none, or those for which at least one clause holds.
   *  Resolves when they are there and the others gone; a lost connection only delays that. */
  setCondition<T extends AnyTable>(table: T, condition: boolean | readonly Clause<T['columns']>[]): Promise<void>
  /** Carries out all operations or none. The rows in memory have the result before this resolves.
   *  @throws TransactionFailed, NotConnected, UnknownOutcome, RequestRefused */
  transact<const O extends readonly Operation<unknown>[]>(...operations: O): Promise<Results<O>>
  lock(name: string, options?: LockOptions): Lock
  /** Whether somebody has a lock, which this client must not ask for itself. Whoever has it, or stands in line, is told nothing;
   *  who asks in the same moment may have to wait for it as long.
   *  @throws NotConnected, Disconnected, RequestRefused, RangeError */
  isLockTaken(name: string): Promise<boolean>
  /** @param listener  called once for each message of the server that changed rows, after all of it is in memory. What it
   *  throws is nobody's to catch, as with any event. @returns what ends it */
  onChanges(listener: (changes: Changes) => void): () => void
  onStatus(listener: (status: Status) => void): () => void
  close(): Promise<void>
}

/** Starts connecting. Conditions set before anything is awaited hold from the first dump on.
 *  @throws SyntaxError when the remotes cannot be understood */
export function openOvsdb(options: OvsdbOptions): OvsdbClient {
  const { database, tables, clock = systemClock } = options
  const remotes = parseRemotes(options.remotes)
  const replica = createReplica(tables)
  const [changeListeners, statusListeners] = [createListeners<Changes>(), createListeners<Status>()]
  const monitor = createMonitor({ database, tables, replica, onChanges: changeListeners.tell })
  const locks = createLocks()
  const stopping = new AbortController()
  const seen: { progress: Progress | undefined } = { progress: undefined }
  let status: Status = { state: 'waiting', milliseconds: 0 }
  let connected: Rpc | undefined
  let firstSync = Promise.withResolvers<void>()
  firstSync.promise.catch(() => {})

  function setStatus(next: Status): void {
    status = next
    statusListeners.tell(next)
  }

  async function attempt(remote: Remote): Promise<number> {
    const name = formatRemote(remote)
    setStatus({ state: 'connecting', remote: name })
    let usefulSince: number | undefined
    const reason = await connectAndStay(remote, (rpc, method) => {
      usefulSince ??= clock.now()
      connected = rpc
      setStatus({ state: 'synchronized', remote: name, method })
      firstSync.resolve()
    })
    if (connected !== undefined) firstSync = Promise.withResolvers()
    firstSync.promise.catch(() => {})
    connected = undefined
    if (!stopping.signal.aborted) setStatus({ state: 'disconnected', remote: name, reason })
    return usefulSince === undefined ? -1 : clock.now() - usefulSince
  }

  async function connectAndStay(
    remote: Remote,
    onSynchronized: (rpc: Rpc, method: MonitorMethod) => void,
  ): Promise<Error> {
    try {
      const timeoutMilliseconds = options.connectMilliseconds ?? 5_000
      const stream = await dial(remote, { tls: options.tls, clock, timeoutMilliseconds, signal: stopping.signal })
      return await runSession(stream, {
        clock,
        database,
        monitor,
        locks,
        seen,
        onSynchronized,
        signal: stopping.signal,
        limits: options.limits ?? DEFAULT_LIMITS,
        probeMilliseconds: options.probeMilliseconds ?? 5_000,
        leaderOnly: options.leaderOnly ?? false,
      })
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  const ended = Promise.resolve().then(() =>
    keepConnected({
      remotes,
      random: options.random ?? Math.random,
      clock,
      signal: stopping.signal,
      attempt,
      onPause: (milliseconds) => setStatus({ state: 'waiting', milliseconds }),
    }),
  )

  return {
    get: replica.get,
    all: replica.all,
    find: replica.find,
    count: replica.count,
    get status() {
      return status
    },
    synchronized: () => (stopping.signal.aborted ? Promise.reject(stopping.signal.reason) : firstSync.promise),
    hasColumn: (table, column) => monitor.hasColumn(table, column),
    setCondition: (table, condition) =>
      monitor.setCondition(table, typeof condition === 'boolean' ? condition : encodeClauses(table, condition)),

    async transact(...operations) {
      if (connected === undefined) throw new NotConnected(`There is no connection to ${database}`)
      const wire = operations.map((operation) => operation.wire)
      try {
        return await connected
          .call('transact', [database, ...wire], (reply) => reply)
          .then((reply) => readResults(operations, reply))
      } catch (error) {
        if (!(error instanceof Disconnected)) throw error
        throw new UnknownOutcome('The connection ended before the reply: the transaction may have been carried out', {
          cause: error,
        })
      }
    },

    lock: locks.lock,
    async isLockTaken(name) {
      if (connected === undefined) throw new NotConnected(`There is no connection to ${database}`)
      return await locks.isTaken(connected, name)
    },

    onChanges: changeListeners.add,
    onStatus: statusListeners.add,

    async close() {
      if (!stopping.signal.aborted) {
        const reason = new NotConnected('The client was closed')
        stopping.abort(reason)
        monitor.close(reason)
        firstSync.reject(reason)
      }
      await ended
      if (status.state !== 'closed') setStatus({ state: 'closed' })
    },
  }
}

interface Listeners<T> {
  add(listener: (event: T) => void): () => void
  tell(event: T): void
}

function createListeners<T>(): Listeners<T> {
  const listeners = new Set<(event: T) => void>()
  return {
    add(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    tell(event) {
      for (const listener of listeners) {
        try {
          listener(event)
        } catch (error) {
          // Not here: the rows of this message are only half told, and the connection is not to blame.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    },
  }
}
