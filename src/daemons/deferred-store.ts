import type { InventoryStore } from '../inventory/store.ts'

/** A store that is still being opened, so that sockets can listen meanwhile. Nothing can be followed before it was loaded.
 *  That it cannot be opened is for the one who opens it to say: here nothing ever comes then.
 *
 *  Nobody waits to close one that was not loaded yet, since somebody else may keep it locked for ever; it is closed then. */
export function deferredStore(opening: Promise<InventoryStore>): InventoryStore {
  let loaded: InventoryStore | undefined
  let isClosed = false
  opening.catch(() => undefined) // it may fail before anybody has asked
  return {
    load: async () => {
      const store = await opening.catch(() => new Promise<never>(() => {}))
      const snapshot = await store.load()
      loaded = store
      if (isClosed) await store.close()
      return snapshot
    },
    commit: async (changes, expected) => (await opening).commit(changes, expected),
    follow: (since, onChanges, onTrouble) => {
      if (loaded === undefined) throw new Error('a store is followed from a snapshot on: load it first')
      return loaded.follow(since, onChanges, onTrouble)
    },
    deletedAmong: async (noun, ids) => (await opening).deletedAmong(noun, ids),
    close: async () => {
      isClosed = true
      await loaded?.close()
    },
  }
}
