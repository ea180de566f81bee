import type { Prepared } from '../documents/context.ts'
import type { Instance } from '../inventory/records/instance.ts'

/**
 * Remembers drawn documents as long as their instance object lives. A change of the inventory makes a new object, so
 * nothing stale is ever found and nothing has to be thrown away.
 */
export function preparedDocuments(): (instance: Instance) => Prepared {
  const drawn = new WeakMap<Instance, Map<string, readonly Uint8Array[]>>()
  return (instance) => (key, draw) => {
    const documents = drawn.get(instance) ?? new Map<string, readonly Uint8Array[]>()
    drawn.set(instance, documents)
    const pieces = documents.get(key) ?? draw()
    documents.set(key, pieces)
    return pieces
  }
}
