import { it } from 'node:test'
import { openMemoryStore } from '../inventory/memory-store.ts'
import type { InventoryStore } from '../inventory/store.ts'
import { deferredStore } from './deferred-store.ts'

it('a store that nobody could load yet is no reason to wait at the end', async () => {
  const { promise: opening, resolve } = Promise.withResolvers<InventoryStore>()
  const { promise: locked } = Promise.withResolvers<never>()
  const store = deferredStore(opening)
  await store.close() // it is not open
  void store.load()
  resolve({ ...openMemoryStore(), load: () => locked, close: () => locked })
  await opening
  await store.close() // it is open, and locked by somebody else
})

for (const [when, order] of [
  ['when it was loaded', ['load', 'close']],
  ['as soon as it is loaded', ['close', 'load']],
] as const)
  it(`one that can be loaded is closed ${when}`, async () => {
    const { promise: closed, resolve: close } = Promise.withResolvers<void>()
    const store = deferredStore(Promise.resolve({ ...openMemoryStore(), close: async () => close() }))
    for (const act of order) await store[act]()
    await closed
  })
