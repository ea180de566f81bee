import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { serverWithPort, surroundings } from '../../../test/contract/sample-records.ts'
import { NOUNS } from '../records/records.ts'
import { InventoryRejected, type InventoryStore, InventoryUnavailable } from '../store.ts'
import { openSqliteStore } from './sqlite.ts'
import { explainFileError, explainSqliteError } from './sqlite-errors.ts'
import { columnsOf, tableOf } from './tables.ts'

const committer = fileURLToPath(new URL('../../../test/contract/commit-for-ever.ts', import.meta.url))

describe('the inventory in SQLite', () => {
  let directory: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'firstboot-sqlite-'))
  })
  after(() => rm(directory, { recursive: true }))

  /** Opens a store of its own and closes it behind the test, even a failing one. */
  async function using(name: string, work: (store: InventoryStore, path: string) => Promise<void>): Promise<void> {
    const path = join(directory, name)
    const store = await openSqliteStore(path)
    try {
      await work(store, path)
    } finally {
      await store.close()
    }
  }

  test('is readable by its owner only, the write-ahead log too', () =>
    using('mode.db', async (store, path) => {
      await store.commit(surroundings, 0)
      for (const file of [path, `${path}-wal`]) assert.equal((await stat(file)).mode & 0o777, 0o600, file)
    }))

  test('has a column for each property of each noun, and no other', () =>
    using('columns.db', async (_store, path) => {
      const raw = new DatabaseSync(path)
      for (const noun of NOUNS) {
        const columns = raw.prepare(`select name from pragma_table_info('${tableOf(noun)}')`).all()
        assert.deepEqual(
          columns.map(({ name }) => name),
          columnsOf(noun).map(({ column }) => column),
          noun,
        )
      }
      raw.close()
    }))

  test('survives being closed and opened again', async () => {
    await using('again.db', async (store) => {
      await store.commit([...surroundings, ...serverWithPort(11)], 0)
    })
    await using('again.db', async (store) => {
      const { records, sequence } = await store.load()
      assert.deepEqual([sequence, records.server.size], [1, 1])
    })
  })

  test('a database of an earlier version is brought up to date, and its records stay', async () => {
    await using('older.db', async (store, path) => {
      await store.commit(surroundings, 0)
      const raw = new DatabaseSync(path)
      raw.exec(`alter table projects drop column metadata_tokens;
                alter table subnets drop column advanced_service_providers;
                drop table former_interfaces;
                alter table ports drop column port_security_enabled;
                alter table ports drop column allowed_address_pairs;
                delete from kysely_migration where name > '0002'`)
      raw.close()
    })
    await using('older.db', async (store) => {
      const { project, subnet, network } = (await store.load()).records
      assert.deepEqual(
        [...project.values()].map(({ metadataTokens }) => metadataTokens),
        ['off'],
      )
      assert.deepEqual(
        [...subnet.values()].map(({ advancedServiceProviders }) => advancedServiceProviders),
        [[]],
      )
      assert.equal(network.size, 2)
    })
  })

  test('can be opened by several at once while it does not exist yet', async () => {
    const path = join(directory, 'race.db')
    const stores = await Promise.all(Array.from({ length: 4 }, () => openSqliteStore(path)))
    for (const store of stores) await store.close()
  })

  test('refuses a reference to nothing', () =>
    using('dangling.db', async (store) => {
      await assert.rejects(store.commit(serverWithPort(11), 0), InventoryRejected)
      assert.equal((await store.load()).sequence, 0)
    }))

  test('kill -9 of a process that commits loses nothing that was answered', async () => {
    const path = join(directory, 'killed.db')
    const child = spawn(process.execPath, [committer, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    let answered = 0
    for await (const line of createInterface(child.stdout)) {
      answered = Number(line)
      if (answered === 20) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    assert.ok(answered >= 20)
    await using('killed.db', async (store) => {
      const { records, sequence } = await store.load()
      assert.ok(sequence >= answered, `${sequence} of ${answered} commits`)
      assert.equal(records.project.size, sequence)
    })
  })

  test('a follower hears of another process soon', () =>
    using('foreign.db', async (store, path) => {
      const heard = Promise.withResolvers<number>()
      const following = store.follow(0, ({ sequence }) => heard.resolve(sequence))
      const child = spawn(process.execPath, [committer, path], { stdio: ['ignore', 'ignore', 'inherit'] })
      assert.ok((await heard.promise) >= 1)
      child.kill('SIGKILL')
      await once(child, 'exit')
      following.end()
    }))

  test('waits for a lock without holding up the event loop', () =>
    using('locked.db', async (store, path) => {
      await store.commit(surroundings, 0)
      const other = new DatabaseSync(path)
      other.exec('begin immediate')
      let settled = false
      const committed = store.commit(serverWithPort(11), 1).finally(() => {
        settled = true
      })
      const turns: number[] = []
      for (let i = 0; i < 5; i += 1) {
        const before = performance.now()
        await pause(10)
        turns.push(performance.now() - before)
      }
      assert.equal(settled, false)
      assert.ok(Math.max(...turns) < 500, `a turn of the event loop took ${Math.max(...turns)} ms`)
      other.exec('rollback')
      other.close()
      assert.equal(await committed, 2)
    }))

  test('the feed survives a database that is locked for a while', () =>
    using('locked-feed.db', async (store, path) => {
      const heard = Promise.withResolvers<number>()
      const other = await openSqliteStore(path)
      await store.load()
      const holder = new DatabaseSync(path)
      holder.exec('begin exclusive')
      const following = store.follow(0, ({ sequence }) => heard.resolve(sequence))
      const committed = other.commit(surroundings, 0)
      holder.exec('rollback')
      holder.close()
      assert.equal(await committed, 1)
      assert.equal(await heard.promise, 1)
      following.end()
      await other.close()
    }))

  test('a database with a schema from the future is refused', async () => {
    await using('newer.db', async (_store, path) => {
      const raw = new DatabaseSync(path)
      raw.exec(`insert into kysely_migration (name, timestamp) values ('9999-later', '')`)
      raw.close()
      await assert.rejects(openSqliteStore(path), (error: Error) => {
        assert.ok(error instanceof InventoryUnavailable)
        assert.match(error.message, /newer\.db was written by a newer firstboot.*9999-later/)
        return true
      })
    })
  })

  test('a file that cannot hold the inventory is refused with what to do', async () => {
    const noDatabase = join(directory, 'text.db')
    await writeFile(noDatabase, 'This is a text, and no database at all. '.repeat(100))
    await chmod(noDatabase, 0o600)
    const cases = [
      {
        path: join(directory, 'missing', 'inventory.db'),
        want: /directory does not exist; create the directory first/,
      },
      { path: directory, want: /it is a directory; name a file in it/ },
      { path: noDatabase, want: /text\.db is not an inventory database/ },
      { path: join(noDatabase, 'inventory.db'), want: /a part of its path is not a directory/ },
    ]
    for (const { path, want } of cases) {
      await assert.rejects(openSqliteStore(path), (error: Error) => {
        assert.ok(error instanceof InventoryUnavailable, `${path}: ${error.stack}`)
        assert.match(error.message, want)
        return true
      })
    }
  })
})

test('what SQLite and the system say is told in plain words', () => {
  const cases = [
    { name: 'full disk', error: sqliteError(13), want: /\/s\/i\.db: the disk is full; free some space/ },
    { name: 'read-only file system', error: sqliteError(1032), want: /it or its directory is read-only/ },
    { name: 'damaged', error: sqliteError(11), want: /is damaged; restore it from a backup/ },
    { name: 'locked', error: sqliteError(261), want: /locked by another program/ },
  ]
  for (const { name, error, want } of cases) {
    const explained = explainSqliteError(error, '/s/i.db')
    assert.ok(explained instanceof InventoryUnavailable, name)
    assert.match(explained.message, want, name)
  }
  const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
  assert.match(explainFileError(denied, '/s/i.db').message, /no permission; make it and its directory writable/)
})

function sqliteError(errcode: number): Error {
  return Object.assign(new Error('from SQLite'), { code: 'ERR_SQLITE_ERROR', errcode })
}
