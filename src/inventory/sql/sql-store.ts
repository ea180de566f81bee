import { setTimeout as pause } from 'node:timers/promises'
import type { Kysely, Transaction } from 'kysely'
import { formerInterfaceChanges, type Touched } from '../former-interfaces.ts'
import { isRouterInterface, type Port, ROUTER_INTERFACE_OWNERS } from '../records/port.ts'
import { type Change, NOUNS, type Noun, type RecordSet, type Records } from '../records/records.ts'
import type { Router } from '../records/router.ts'
import { type Feed, type Following, InventoryConflict, type InventoryStore, type Snapshot } from '../store.ts'
import { followCommits } from './follow.ts'
import { groupFixedIps, toFixedIpRows, toRecord, toRow } from './rows.ts'
import { type Row, type Tables, tableOf } from './tables.ts'

/** What differs between the databases an inventory can be kept in. */
export interface SqlDatabase {
  readonly db: Kysely<Tables>
  /** Values that one statement can carry. */
  readonly maxParameters: number
  /** Somebody else holds a lock: the same again, a little later, can succeed. */
  isBusy(error: unknown): boolean
  /** The error as one a user can act on; an error that is already ours comes back as it is. */
  explain(error: unknown): Error
  /** Calls back when another connection may have committed. @returns a function that ends it */
  watch(onSignal: () => void): () => void
}

/** How long somebody else's lock is waited for: far above the longest commit, below a user's patience. */
const LOCK_PATIENCE_MILLISECONDS = 30_000
const LOCK_PAUSE_MILLISECONDS = 25

/** The inventory in a database that kysely speaks to. */
export class SqlStore implements InventoryStore {
  readonly #database: SqlDatabase
  readonly #pokes = new Set<() => void>()
  readonly #closing = new AbortController()

  constructor(database: SqlDatabase) {
    this.#database = database
  }

  load(): Promise<Snapshot> {
    return this.#transaction(async (trx) => {
      const sequence = await readSequence(trx)
      const fixedIps = groupFixedIps(await trx.selectFrom('fixed_ips').selectAll().orderBy('position').execute())
      const records: [Noun, Map<string, Records[Noun]>][] = []
      for (const noun of NOUNS) {
        const rows = await trx.selectFrom(tableOf(noun)).selectAll().orderBy('id').execute()
        records.push([noun, recordsById(noun, rows, fixedIps)])
      }
      return { records: Object.fromEntries(records) as unknown as RecordSet, sequence }
    })
  }

  async commit(changes: readonly Change[], expected: number): Promise<number> {
    const sequence = await this.#transaction(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable('inventory_sequence')
        .set({ value: expected + 1 })
        .where('value', '=', expected)
        .executeTakeFirstOrThrow()
      if (numUpdatedRows === 0n) {
        throw new InventoryConflict(`the inventory was changed by somebody else after commit ${expected}`)
      }
      const own = formerInterfaceChanges(await readTouched(trx, changes), changes, nowSeconds())
      await this.#write(trx, lastOfEach([...changes, ...own]), expected + 1)
      return expected + 1
    })
    for (const poke of this.#pokes) poke()
    return sequence
  }

  follow(since: number, onChanges: (feed: Feed) => void, onTrouble?: (error: unknown) => void): Following {
    const { poke, caughtUp, end } = followCommits(
      since,
      (after) => this.#transaction((trx) => readFeed(trx, after)),
      onChanges,
      onTrouble,
    )
    const unwatch = this.#database.watch(poke)
    this.#pokes.add(poke)
    poke()
    const stop = () => {
      this.#pokes.delete(poke)
      unwatch()
      end()
    }
    this.#closing.signal.addEventListener('abort', stop, { once: true })
    return { caughtUp, end: stop }
  }

  /** The last change of each record is kept for ever. */
  deletedAmong(noun: Noun, ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#transaction(async (trx) => {
      const deleted = new Set<string>()
      for (const some of chunks(ids, FEED_CHUNK)) {
        const rows = trx.selectFrom('changes').select('id').where('noun', '=', noun).where('op', '=', 'delete')
        for (const { id } of await rows.where('id', 'in', some).execute()) deleted.add(String(id))
      }
      return deleted
    })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#database.db.destroy()
  }

  /** Every changed row is taken out before a new one is put in, so that two ports may swap their addresses. */
  async #write(trx: Transaction<Tables>, changes: readonly Change[], sequence: number): Promise<void> {
    for (const noun of NOUNS) {
      const ids = changes.filter((change) => change.noun === noun).map(idOf)
      for (const some of chunks(ids, this.#database.maxParameters - 1)) {
        if (noun === 'port') await trx.deleteFrom('fixed_ips').where('port_id', 'in', some).execute()
        await trx.deleteFrom(tableOf(noun)).where('id', 'in', some).execute()
        await trx.deleteFrom('changes').where('noun', '=', noun).where('id', 'in', some).execute()
      }
    }
    for (const noun of NOUNS) {
      const records = changes.flatMap((change) => (change.op === 'put' && change.noun === noun ? [change.record] : []))
      await this.#insert(
        trx,
        tableOf(noun),
        records.map((record) => toRow(noun, record)),
      )
    }
    const ports = changes.flatMap((change) => (change.op === 'put' && change.noun === 'port' ? [change.record] : []))
    await this.#insert(trx, 'fixed_ips', ports.flatMap(toFixedIpRows))
    const log = changes.map((change) => ({ noun: change.noun, id: idOf(change), op: change.op, sequence }))
    await this.#insert(trx, 'changes', log)
  }

  async #insert(trx: Transaction<Tables>, table: string, rows: readonly Row[]): Promise<void> {
    const width = Object.keys(rows[0] ?? {}).length
    for (const some of chunks(rows, Math.floor(this.#database.maxParameters / Math.max(width, 1)))) {
      await trx.insertInto(table).values(some).execute()
    }
  }

  /** Runs `work` as one transaction, again while somebody else holds a lock. Waiting leaves the event loop free. */
  async #transaction<T>(work: (trx: Transaction<Tables>) => Promise<T>): Promise<T> {
    const { db, isBusy, explain } = this.#database
    for (const deadline = performance.now() + LOCK_PATIENCE_MILLISECONDS; ; ) {
      try {
        return await db.transaction().setIsolationLevel('repeatable read').execute(work)
      } catch (error) {
        if (!isBusy(error) || performance.now() > deadline || this.#closing.signal.aborted) throw explain(error)
        await pause(LOCK_PAUSE_MILLISECONDS)
      }
    }
  }
}

async function readSequence(trx: Transaction<Tables>): Promise<number> {
  const row = await trx.selectFrom('inventory_sequence').select('value').executeTakeFirstOrThrow()
  return Number(row['value'])
}

/** What tells whether changes end a router's interface. */
async function readTouched(trx: Transaction<Tables>, changes: readonly Change[]): Promise<Touched> {
  const idsOf = (noun: Noun) => changes.filter((change) => change.noun === noun).map(idOf)
  const routers = idsOf('router')
  const ports = new Map<string, Port>()
  for (const some of chunks(idsOf('port'), FEED_CHUNK)) await readInterfaces(trx, 'id', some, ports)
  for (const some of chunks(routers, FEED_CHUNK)) await readInterfaces(trx, 'device_id', some, ports)
  const formers = await trx.selectFrom(tableOf('former_interface')).selectAll().execute()
  const devices = [...ports.values()].map(({ deviceId }) => deviceId)
  const router = new Map<string, Router>()
  for (const some of chunks([...new Set([...routers, ...devices, ...interfaceOwners(changes)])], FEED_CHUNK)) {
    const rows = await trx.selectFrom(tableOf('router')).selectAll().where('id', 'in', some).execute()
    for (const row of rows) router.set(String(row['id']), toRecord('router', row))
  }
  return {
    port: ports,
    router,
    former_interface: new Map(formers.map((row) => [String(row['id']), toRecord('former_interface', row)])),
  }
}

async function readInterfaces(
  trx: Transaction<Tables>,
  column: 'id' | 'device_id',
  values: readonly string[],
  into: Map<string, Port>,
): Promise<void> {
  const rows = await trx
    .selectFrom(tableOf('port'))
    .selectAll()
    .where(column, 'in', values)
    .where('device_owner', 'in', [...ROUTER_INTERFACE_OWNERS])
    .execute()
  const ids = rows.map((row) => String(row['id']))
  const addresses =
    ids.length === 0
      ? []
      : await trx.selectFrom('fixed_ips').selectAll().where('port_id', 'in', ids).orderBy('position').execute()
  const fixedIps = groupFixedIps(addresses)
  for (const row of rows) into.set(String(row['id']), toRecord('port', row, fixedIps.get(String(row['id']))))
}

/** Routers that ports are put on. */
function interfaceOwners(changes: readonly Change[]): readonly string[] {
  return changes.flatMap((change) =>
    change.op === 'put' && change.noun === 'port' && isRouterInterface(change.record) ? [change.record.deviceId] : [],
  )
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000)
}

/** Everything that changed after `since`, as it is now; undefined when nothing did. */
async function readFeed(trx: Transaction<Tables>, since: number): Promise<Feed | undefined> {
  const sequence = await readSequence(trx)
  if (sequence === since) return undefined
  const rows = await trx.selectFrom('changes').selectAll().where('sequence', '>', since).orderBy('sequence').execute()
  const changes: Change[] = []
  for (const noun of NOUNS) {
    const touched = rows.filter((row) => row['noun'] === noun)
    const ids = touched.filter((row) => row['op'] === 'put').map((row) => String(row['id']))
    for (const some of chunks(ids, FEED_CHUNK)) changes.push(...(await readPuts(trx, noun, some)))
    for (const row of touched) {
      if (row['op'] === 'delete') changes.push({ op: 'delete', noun, id: String(row['id']) })
    }
  }
  return { changes, sequence }
}

/** Ids in one query of the feed: well below any database's limit of parameters. */
const FEED_CHUNK = 10_000

async function readPuts(trx: Transaction<Tables>, noun: Noun, ids: readonly string[]): Promise<Change[]> {
  const rows = await trx.selectFrom(tableOf(noun)).selectAll().where('id', 'in', ids).execute()
  const fixedIps =
    noun === 'port'
      ? await trx.selectFrom('fixed_ips').selectAll().where('port_id', 'in', ids).orderBy('position').execute()
      : []
  return Array.from(
    recordsById(noun, rows, groupFixedIps(fixedIps)).values(),
    (record) => ({ op: 'put', noun, record }) as Change,
  )
}

function recordsById(noun: Noun, rows: readonly Row[], fixedIps: ReturnType<typeof groupFixedIps>) {
  return new Map(
    rows.map((row) => [String(row['id']), toRecord(noun, row, fixedIps.get(String(row['id'])))] as const),
  ) as Map<string, Records[Noun]>
}

function idOf(change: Change): string {
  return change.op === 'put' ? change.record.id : change.id
}

/** Of several changes of one record, the last: the others would never be seen. */
function lastOfEach(changes: readonly Change[]): readonly Change[] {
  return [...new Map(changes.map((change) => [`${change.noun} ${idOf(change)}`, change])).values()]
}

function* chunks<T>(items: readonly T[], size: number): Iterable<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size)
}
