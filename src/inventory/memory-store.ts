import { formerInterfaceChanges } from './former-interfaces.ts'
import { type Change, emptyRecordSet, NOUNS, type Noun, type RecordSet } from './records/records.ts'
import { type Feed, InventoryConflict, InventoryRejected, type InventoryStore, type Snapshot } from './store.ts'

/** An inventory that lives as long as the object: for a document rendered from a file, and for tests.
 *  @param now  milliseconds since 1970 */
export function openMemoryStore(now: () => number = Date.now): InventoryStore {
  let records = emptyRecordSet()
  let sequence = 0
  const history: Feed[] = []
  const followers = new Set<() => void>()

  return {
    async load(): Promise<Snapshot> {
      return { records, sequence }
    },

    async commit(changes, expected) {
      if (expected !== sequence) {
        throw new InventoryConflict(`the inventory was changed by somebody else after commit ${expected}`)
      }
      const own = formerInterfaceChanges(records, changes, Math.floor(now() / 1_000))
      const all = [...changes, ...own]
      records = checked(applyChanges(records, all))
      sequence += 1
      history.push({ changes: all, sequence })
      for (const poke of followers) poke()
      return sequence
    },

    follow(since, onChanges) {
      let position = since
      const deliver = () => {
        if (!followers.has(poke)) return
        const missed = history.slice(position)
        position = history.length
        for (const feed of missed) onChanges(feed)
      }
      const poke = () => queueMicrotask(deliver)
      followers.add(poke)
      poke()
      return {
        caughtUp: () => Promise.resolve().then(deliver),
        end: () => followers.delete(poke),
      }
    },

    async deletedAmong(noun, ids) {
      const deletions = history.flatMap(({ changes }) =>
        changes.flatMap((change) => (change.op === 'delete' && change.noun === noun ? [change.id] : [])),
      )
      return new Set(
        ids.filter((id) => deletions.includes(id) && !(records[noun] as ReadonlyMap<string, unknown>).has(id)),
      )
    },

    async close() {
      followers.clear()
    },
  }
}

/** The records after the changes. The given set stays as it is; nouns without a change are shared with it. */
export function applyChanges(records: RecordSet, changes: readonly Change[]): RecordSet {
  const touched = new Set<Noun>(changes.map(({ noun }) => noun))
  const next = Object.fromEntries(
    NOUNS.map((noun) => [noun, touched.has(noun) ? new Map<string, unknown>(records[noun]) : records[noun]]),
  ) as Record<Noun, Map<string, unknown>>
  for (const change of changes) {
    if (change.op === 'put') next[change.noun].set(change.record.id, change.record)
    else next[change.noun].delete(change.id)
  }
  return next as unknown as RecordSet
}

/** What a database's constraints see to: one port for each address and each MAC of a network. */
function checked(records: RecordSet): RecordSet {
  const taken = new Set<string>()
  for (const port of records.port.values()) {
    for (const key of [port.macAddress, ...port.fixedIps.map(({ ipAddress }) => ipAddress)]) {
      const place = `${port.networkId} ${key}`
      if (taken.has(place)) throw new InventoryRejected(`${key} is on two ports of network ${port.networkId}`)
      taken.add(place)
    }
  }
  return records
}
