import { closeSync, type FSWatcher, openSync, statSync, watch } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { Kysely, SqliteAdapter, type SqliteDatabase, SqliteDialect } from 'kysely'
import { Migrator } from 'kysely/migration'
import { type InventoryStore, InventoryUnavailable } from '../store.ts'
import { migrations } from './migrations.ts'
import { type SqlDatabase, SqlStore } from './sql-store.ts'
import { explainFileError, explainSqliteError, isSqliteBusy } from './sqlite-errors.ts'
import type { Tables } from './tables.ts'

/** How long SQLite itself may wait for a lock. It blocks the event loop meanwhile, so the real waiting is done outside. */
const BUSY_MILLISECONDS = 10
const OPEN_PATIENCE_MILLISECONDS = 30_000
const OPEN_PAUSE_MILLISECONDS = 25
/** The slow look for commits of other processes: the file watcher tells at once, but not on every file system. */
const LOOK_MILLISECONDS = 1_000
/** SQLITE_MAX_VARIABLE_NUMBER of SQLite 3.32 and later. */
const MAX_PARAMETERS = 32_766

/**
 * Opens the inventory in a SQLite file, creating it (mode 0600: it holds passwords and keys) and bringing its schema up
 * to date where needed. The directory must exist.
 * @param patienceMilliseconds  how long somebody else's lock is waited for; a daemon has nothing better to do than to wait
 * @throws InventoryUnavailable telling what is wrong with the file and what to do
 */
export async function openSqliteStore(
  path: string,
  patienceMilliseconds = OPEN_PATIENCE_MILLISECONDS,
): Promise<InventoryStore> {
  const file = resolve(path)
  createFile(file)
  const raw = openDatabase(file)
  const db = new Kysely<Tables>({ dialect: new TransactionalSqliteDialect({ database: kyselyDatabase(raw) }) })
  try {
    await migrate(raw, db, file, patienceMilliseconds)
  } catch (error) {
    raw.close()
    throw explainSqliteError(error, file)
  }
  return new SqlStore({
    db,
    maxParameters: MAX_PARAMETERS,
    isBusy: isSqliteBusy,
    explain: (error) => explainSqliteError(error, file),
    watch: (onSignal) => watchFile(raw, file, onSignal),
  } satisfies SqlDatabase)
}

function createFile(file: string): void {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
      throw new InventoryUnavailable(`cannot keep the inventory in ${file}: it is a directory; name a file in it`)
    }
    closeSync(openSync(file, 'a', 0o600))
  } catch (error) {
    throw explainFileError(error, file)
  }
}

function openDatabase(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: BUSY_MILLISECONDS, enableForeignKeyConstraints: true })
  } catch (error) {
    throw explainSqliteError(error, file)
  }
}

/** `node:sqlite` in the shape of better-sqlite3, which kysely's dialect is written for. */
function kyselyDatabase(raw: DatabaseSync): SqliteDatabase {
  return {
    close: () => raw.close(),
    prepare: (text) => {
      // A full disk makes SQLite roll back by itself; a second rollback would fail, and hide what went wrong.
      const statement = raw.prepare(text === 'rollback' && !raw.isTransaction ? 'select 1 where false' : text)
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...(parameters as SQLInputValue[])),
        run: (parameters) => statement.run(...(parameters as SQLInputValue[])),
        iterate: (parameters) => statement.iterate(...(parameters as SQLInputValue[])),
      }
    },
  }
}

/** SQLite can roll back DDL; kysely's adapter does not use that. A migration that is killed half way leaves no trace. */
class TransactionalSqliteDialect extends SqliteDialect {
  override createAdapter() {
    return new (class extends SqliteAdapter {
      override get supportsTransactionalDdl() {
        return true
      }
    })()
  }
}

/** Several processes may open a new file at once: whoever finds it locked comes back and finds it migrated. */
async function migrate(raw: DatabaseSync, db: Kysely<Tables>, file: string, patience: number): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  for (const deadline = performance.now() + patience; ; ) {
    try {
      // WAL: readers never wait for a writer. FULL: a commit that was answered survives a power cut.
      raw.exec('pragma journal_mode = wal; pragma synchronous = full')
      await refuseNewerSchema(db, file)
      const { error } = await migrator.migrateToLatest()
      if (error === undefined) return
      throw error
    } catch (error) {
      if (!isSqliteBusy(error) || performance.now() > deadline) throw error
      await pause(OPEN_PAUSE_MILLISECONDS)
    }
  }
}

async function refuseNewerSchema(db: Kysely<Tables>, file: string): Promise<void> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === 'kysely_migration')) return
  const done = await db.selectFrom('kysely_migration').select('name').execute()
  const unknown = done.map((row) => String(row['name'])).find((name) => !(name in migrations))
  if (unknown === undefined) return
  throw new InventoryUnavailable(
    `${file} was written by a newer firstboot (it has the schema change ${unknown}); use that version or a later one`,
  )
}

/** A commit writes to the -wal file beside the database, which comes and goes: so the directory is watched. */
function watchFile(raw: DatabaseSync, file: string, onSignal: () => void): () => void {
  const look = raw.prepare('pragma data_version')
  let seen: unknown
  const timer = setInterval(() => {
    const version = dataVersion(look)
    if (version !== seen) onSignal()
    seen = version
  }, LOOK_MILLISECONDS).unref()
  const watcher = watchDirectory(dirname(file), basename(file), onSignal)
  return () => {
    clearInterval(timer)
    watcher?.close()
  }
}

/** SQLite's counter of commits by other connections; undefined while the file is locked. */
function dataVersion(look: ReturnType<DatabaseSync['prepare']>): unknown {
  try {
    return look.get()?.['data_version']
  } catch {
    return undefined
  }
}

/** Without inotify watches left (or on a file system without them) the slow look remains. */
function watchDirectory(directory: string, prefix: string, onSignal: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(directory, { persistent: false }, (_event, name) => {
      if (name === null || name.startsWith(prefix)) onSignal()
    })
    return watcher.on('error', () => watcher.close())
  } catch {
    return undefined
  }
}
