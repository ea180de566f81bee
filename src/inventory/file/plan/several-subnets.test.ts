import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openMemoryStore } from '../../memory-store.ts'
import { NOUNS, type RecordSet } from '../../records/records.ts'
import type { InventoryStore, Snapshot } from '../../store.ts'
import { applyInventory } from '../apply.ts'
import { randomGenerators } from '../generators.ts'
import { readInventory } from '../load.ts'

const FILE = `
networks:
  - name: n
    subnets:
      - { name: b, cidr: 10.0.9.0/24 }
      - { name: six, cidr: "fd00:9::/64", ipv6_address_mode: slaac, ipv6_ra_mode: slaac }
      - { name: a, cidr: 10.0.1.0/24 }
      - { name: seven, cidr: "fd00:7::/64", ipv6_address_mode: slaac, ipv6_ra_mode: slaac }
servers:
  - { name: s, networks: [{ network: n }] }
`

/** As a database gives records back: by id, in whatever order they were written. */
function sortedById(store: InventoryStore): InventoryStore {
  const load = async (): Promise<Snapshot> => {
    const { records, sequence } = await store.load()
    const sorted = NOUNS.map((noun) => [
      noun,
      new Map([...(records[noun] as ReadonlyMap<string, unknown>)].sort(([a], [b]) => (a < b ? -1 : 1))),
    ])
    return { records: Object.fromEntries(sorted) as unknown as RecordSet, sequence }
  }
  return { ...store, load, commit: (changes, expected) => store.commit(changes, expected) }
}

test('a network of several subnets is the same however its records are stored', async () => {
  // Ids are random, so one round could be right by chance.
  for (let round = 0; round < 8; round++) {
    const store = sortedById(openMemoryStore())
    const apply = () =>
      applyInventory(
        store,
        readInventory('f.yaml', FILE, () => new Uint8Array()),
        randomGenerators,
        {
          prune: false,
          host: 'h',
          isDry: false,
        },
      )
    await apply()
    const again = await apply()
    assert.deepEqual('changes' in again ? again.changes : again.problems, [])
  }
})
