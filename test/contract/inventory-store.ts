import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { applyChanges } from '../../src/inventory/memory-store.ts'
import type { RecordSet } from '../../src/inventory/records/records.ts'
import { emptyRecordSet, NOUNS } from '../../src/inventory/records/records.ts'
import { type Feed, InventoryConflict, InventoryRejected, type InventoryStore } from '../../src/inventory/store.ts'
import {
  floatingIp,
  port,
  portId,
  put,
  ROUTER,
  server,
  serverId,
  serverWithPort,
  surroundings,
} from './sample-records.ts'

/** Two views of one inventory: two connections where the store has such, else the same store twice. */
export interface OpenedStores {
  readonly first: InventoryStore
  readonly second: InventoryStore
  close(): Promise<void>
}

/** What everybody who uses an InventoryStore relies on. Each case starts with an empty inventory. */
export function describeStore(name: string, open: () => Promise<OpenedStores>): void {
  describe(`inventory store: ${name}`, () => {
    const cases: Record<string, (stores: OpenedStores) => Promise<void>> = {
      'a new inventory is empty, at commit 0': async ({ first }) => {
        assert.deepEqual(await first.load(), { records: emptyRecordSet(), sequence: 0 })
      },

      'gives back every record exactly as it was put': async ({ first, second }) => {
        const changes = [...surroundings, ...serverWithPort(11), floatingIp(11)]
        assert.equal(await first.commit(changes, 0), 1)
        const { records, sequence } = await second.load()
        assert.equal(sequence, 1)
        assert.deepEqual(sorted(records), sorted(applyChanges(emptyRecordSet(), changes)))
      },

      'a put replaces, a delete removes': async ({ first, second }) => {
        await first.commit([...surroundings, ...serverWithPort(11)], 0)
        await first.commit([put('server', server(11, { name: 'renamed', portIds: [] }))], 1)
        await first.commit([{ op: 'delete', noun: 'port', id: portId(11) }], 2)
        const { records } = await second.load()
        assert.equal(records.server.get(serverId(11))?.name, 'renamed')
        assert.equal(records.port.size, 0)
      },

      'remembers the interface a router loses, and forgets it when it comes back': async ({ first, second }) => {
        const binding = { deviceId: ROUTER, deviceOwner: 'network:router_interface' }
        const own = port(11, binding)
        const up = {
          ...(applyChanges(emptyRecordSet(), surroundings).router.get(ROUTER) ?? assert.fail()),
          adminStateUp: true,
        }
        await first.commit([...surroundings, put('router', up), put('port', own)], 0)
        await first.commit([{ op: 'delete', noun: 'port', id: own.id }], 1)
        const [former] = (await second.load()).records.former_interface.values()
        assert.deepEqual([former?.id, former?.routerId, former?.fixedIps], [own.id, ROUTER, own.fixedIps])
        await first.commit([put('port', own)], 2)
        assert.equal((await second.load()).records.former_interface.size, 0)
        await first.commit(
          [
            { op: 'delete', noun: 'port', id: own.id },
            { op: 'delete', noun: 'router', id: ROUTER },
          ],
          3,
        )
        assert.equal((await second.load()).records.former_interface.size, 1)
      },

      'two ports swap their addresses in one commit': async ({ first, second }) => {
        await first.commit([...surroundings, ...serverWithPort(11), ...serverWithPort(12)], 0)
        const { fixedIps: eleven, macAddress } = port(11)
        const { fixedIps: twelve, macAddress: other } = port(12)
        await first.commit(
          [
            put('port', port(11, { fixedIps: twelve, macAddress: other })),
            put('port', port(12, { fixedIps: eleven, macAddress })),
          ],
          1,
        )
        assert.deepEqual((await second.load()).records.port.get(portId(11))?.fixedIps, twelve)
      },

      'refuses a commit worked out against an older state, and changes nothing': async ({ first, second }) => {
        await first.commit(surroundings, 0)
        await assert.rejects(second.commit(serverWithPort(11), 0), InventoryConflict)
        const { records, sequence } = await first.load()
        assert.equal(sequence, 1)
        assert.equal(records.server.size, 0)
      },

      'of two commits at once, one wins': async ({ first, second }) => {
        await first.commit(surroundings, 0)
        const outcomes = await Promise.allSettled([
          first.commit(serverWithPort(11), 1),
          second.commit(serverWithPort(12), 1),
        ])
        assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
        assert.equal((await first.load()).records.server.size, 1)
      },

      'refuses one address for two ports of a network, and rolls the whole commit back': async ({ first, second }) => {
        await first.commit([...surroundings, ...serverWithPort(11)], 0)
        const { fixedIps } = port(11)
        const changes = [put('server', server(13, { portIds: [] })), put('port', port(12, { fixedIps }))]
        await assert.rejects(first.commit(changes, 1), InventoryRejected)
        await assert.rejects(
          first.commit([put('port', port(12, { macAddress: port(11).macAddress }))], 1),
          InventoryRejected,
        )
        const { records, sequence } = await second.load()
        assert.deepEqual([sequence, records.server.size, records.port.size], [1, 1, 1])
      },

      'tells a follower of every commit, own and foreign, in order': async ({ first, second }) => {
        const seen = collect(first, 0)
        await first.commit(surroundings, 0)
        await second.commit(serverWithPort(11), 1)
        await second.commit([{ op: 'delete', noun: 'server', id: serverId(11) }], 2)
        await seen.until(3)
        const { records } = await second.load()
        assert.deepEqual(sorted(seen.records()), sorted(records))
        const sequences = seen.feeds.map(({ sequence }) => sequence)
        assert.deepEqual(
          sequences,
          sequences.toSorted((a, b) => a - b),
        )
        assert.equal(new Set(sequences).size, sequences.length, 'no commit comes twice')
        seen.end()
      },

      'a follower that starts late gets what it missed, and nothing older': async ({ first, second }) => {
        await first.commit(surroundings, 0)
        const { records, sequence } = await first.load()
        await second.commit(serverWithPort(11), sequence)
        await second.commit([{ op: 'delete', noun: 'server', id: serverId(11) }], 2)
        const seen = collect(first, sequence, records)
        await seen.until(3)
        assert.ok(!seen.feeds.some((feed) => feed.changes.some(({ noun }) => noun === 'project')))
        assert.deepEqual(sorted(seen.records()), sorted((await second.load()).records))
        seen.end()
      },

      'a follower can catch up with what somebody else committed a moment ago': async ({ first, second }) => {
        await first.commit(surroundings, 0)
        const seen = collect(first, 0)
        for (let number = 1; number < 20; number += 1) {
          await second.commit([put('server', server(100 + number, { portIds: [] }))], number)
          await seen.caughtUp()
          assert.equal(seen.feeds.at(-1)?.sequence, number + 1)
        }
        seen.end()
      },

      'knows what was deleted from what was never there': async ({ first, second }) => {
        await first.commit([...surroundings, ...serverWithPort(11), ...serverWithPort(12)], 0)
        const gone = [11, 12].flatMap((number) => [
          { op: 'delete', noun: 'server', id: serverId(number) } as const,
          { op: 'delete', noun: 'port', id: portId(number) } as const,
        ])
        await first.commit(gone, 1)
        await first.commit([put('server', server(12, { portIds: [] }))], 2)
        const asked = [serverId(11), serverId(12), serverId(13), portId(11)]
        assert.deepEqual(await second.deletedAmong('server', asked), new Set([serverId(11)]))
      },

      'a follower that has ended hears nothing more': async ({ first, second }) => {
        const ended = collect(first, 0)
        const other = collect(second, 0)
        ended.end()
        await first.commit(surroundings, 0)
        await other.until(1)
        assert.deepEqual(ended.feeds, [])
        other.end()
      },

      'holds many servers in one commit': async ({ first, second }) => {
        const servers = Array.from({ length: 2_000 }, (_, i) => put('server', server(1_000 + i, { portIds: [] })))
        await first.commit([...surroundings, ...servers], 0)
        assert.equal((await second.load()).records.server.size, 2_000)
      },
    }

    for (const [title, run] of Object.entries(cases)) {
      test(title, async () => {
        const stores = await open()
        try {
          await run(stores)
        } finally {
          await stores.close()
        }
      })
    }
  })
}

/** Follows and keeps what it was told. `until` resolves once the commit of that number has been told. */
function collect(store: InventoryStore, since: number, start: RecordSet = emptyRecordSet()) {
  const feeds: Feed[] = []
  const waiting: { readonly sequence: number; readonly resolve: () => void }[] = []
  const reached = (sequence: number) => (feeds.at(-1)?.sequence ?? since) >= sequence
  const { caughtUp, end } = store.follow(since, (feed) => {
    feeds.push(feed)
    for (const waiter of waiting) if (reached(waiter.sequence)) waiter.resolve()
  })
  return {
    feeds,
    caughtUp,
    end,
    records: () => feeds.reduce((records, { changes }) => applyChanges(records, changes), start),
    until(sequence: number): Promise<void> {
      if (reached(sequence)) return Promise.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.push({ sequence, resolve })
      return promise
    },
  }
}

/** As plain data in order of ids: stores may keep records in any order. */
function sorted(records: RecordSet): unknown {
  return NOUNS.map((noun) => [...records[noun].values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)))
}
