import type { AnyRow } from './bound-table.ts'
import type { Uuid } from './column.ts'
import type { IndexKey } from './table.ts'

export interface RowIndex {
  /** @param old  the row it was until now @param row  undefined when it is gone */
  move(old: AnyRow | undefined, row: AnyRow | undefined): void
  find(key: IndexKey): Iterable<Uuid>
}

/** Rows by key. Most keys have one row: a set is made for the second. */
export function createRowIndex(keysOf: (row: AnyRow) => IndexKey | readonly IndexKey[] | undefined): RowIndex {
  const uuids = new Map<IndexKey, Uuid | Set<Uuid>>()

  function add(key: IndexKey, uuid: Uuid): void {
    const known = uuids.get(key)
    if (known === undefined) uuids.set(key, uuid)
    else if (known instanceof Set) known.add(uuid)
    else if (known !== uuid) uuids.set(key, new Set([known, uuid]))
  }

  function remove(key: IndexKey, uuid: Uuid): void {
    const known = uuids.get(key)
    if (known === uuid) uuids.delete(key)
    if (!(known instanceof Set)) return
    known.delete(uuid)
    if (known.size === 0) uuids.delete(key)
  }

  const listKeys = (row: AnyRow | undefined): readonly IndexKey[] => {
    const keys = row && keysOf(row)
    return keys === undefined ? [] : typeof keys === 'object' ? keys : [keys]
  }

  return {
    move(old, row) {
      const [before, after] = [listKeys(old), listKeys(row)]
      for (const key of before) if (old && !after.includes(key)) remove(key, old._uuid)
      for (const key of after) if (row && !before.includes(key)) add(key, row._uuid)
    },
    find(key) {
      const found = uuids.get(key)
      return found === undefined ? [] : found instanceof Set ? found : [found]
    },
  }
}
