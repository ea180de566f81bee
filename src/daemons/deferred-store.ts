import type { InventoryStore } from '../inventory/store.ts'

/** A store that is still being opened, so that sockets can listen meanwhile. Nothing can be followed before it was loaded.
 *  That it cannot be opened is for the one who opens it to say: here nothing ever comes then. */
export function deferredStore(opening: Promise<InventoryStore>): InventoryStore {
  let opened: InventoryStore | undefined
  opening.catch(() => undefined) // it may fail before anybody has asked
  return {
    load: async () => {
      opened = await opening.catch(() => new Promise<never>(() => {}))
      return opened.load()
    },
    commit: async (changes, expected) => (await opening).commit(changes, expected),
    follow: (since, onChanges, onTrouble) => {
      if (opened === undefined) throw new Error('a store is followed from a snapshot on: load it first')
      return opened.follow(since, onChanges, onTrouble)
    },
    deletedAmong: async (noun, ids) => (await opening).deletedAmong(noun, ids),
    close: async () => (await opening).close(),
  }
}
