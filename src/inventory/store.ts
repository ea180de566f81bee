import type { IpAddress, MacAddress } from './records/address.ts'
import type { InstanceId, NetworkId, RouterId } from './records/ids.ts'
import type { Instance } from './records/instance.ts'
import type { Port } from './records/port.ts'
import type { Change, Noun, RecordSet } from './records/records.ts'

/** Where the records are kept. One commit is seen whole or not at all, by this process and every other on the store. */
export interface InventoryStore {
  /** Everything, as of one moment. */
  load(): Promise<Snapshot>
  /**
   * Writes the changes as one transaction.
   * @param expected  the sequence number the changes were worked out against
   * @returns the new sequence number
   * @throws InventoryConflict when somebody else committed since `expected`: load again and work out anew
   * @throws InventoryRejected when the result would contradict itself: an address twice on a network, a dangling id
   */
  commit(changes: readonly Change[], expected: number): Promise<number>
  /**
   * Calls back for each commit after `since`, in order, whoever made it. Several commits may come as one call.
   * @param onTrouble  told when the feed cannot be read now; it is tried again until it is ended
   */
  follow(since: number, onChanges: (feed: Feed) => void, onTrouble?: (error: unknown) => void): Following
  /** Those of the ids whose record was here and was deleted; not those that were never here. */
  deletedAmong(noun: Noun, ids: readonly string[]): Promise<ReadonlySet<string>>
  close(): Promise<void>
}

export interface Snapshot {
  readonly records: RecordSet
  /** Number of the last commit in it; 0 for an inventory that was never written. */
  readonly sequence: number
}

export interface Feed {
  readonly changes: readonly Change[]
  readonly sequence: number
}

export interface Following {
  /** Resolves when every commit made before the call has been told. @throws Error when the store cannot be read now */
  caughtUp(): Promise<void>
  end(): void
}

export class InventoryConflict extends Error {
  override readonly name = 'InventoryConflict'
}

/** The last line of defence: whoever worked out the changes should have noticed. Nothing was written. */
export class InventoryRejected extends Error {
  override readonly name = 'InventoryRejected'
}

/** The place where the records are kept cannot be used. The message tells a user what, where, and what to do. */
export class InventoryUnavailable extends Error {
  override readonly name = 'InventoryUnavailable'
}

/** What happens to the inventory, for those who keep something in step with it (datapath, hypervisor). */
export interface InventoryEvents {
  /** Called after each change is visible in `records`. @returns a function that ends it */
  onChange(listener: (nouns: ReadonlySet<Noun>) => void): () => void
}

/** The inventory in memory, kept true by the store's feed. Reads are synchronous; `ready` says when they can be trusted. */
export interface Inventory extends InventoryEvents {
  /** Resolves when the store has been read. Until then nobody may conclude that something does not exist. */
  readonly ready: Promise<void>
  /**
   * Resolves when every commit made before the call can be seen here. Another process may act on a commit before this one
   * hears of it, so who does not find something asks for this, and looks again, before it says that it does not exist.
   * @throws Error when the store cannot be read now
   */
  caughtUp(): Promise<void>
  readonly records: RecordSet
  readonly sequence: number
  /** Looked up without regard to case, as Nova on MariaDB does. The same object as long as nothing about it changed. */
  instance(id: InstanceId | string): Instance | undefined
  /** The ports with this fixed IP or MAC address on one network, or on any network the router has an interface on.
   *  `formerSince` (seconds since 1970) counts those that were detached since then too. */
  ports(
    within: { readonly networkId: NetworkId } | { readonly routerId: RouterId; readonly formerSince?: number },
    client: { readonly fixedIp: IpAddress } | { readonly mac: MacAddress },
  ): readonly Port[]
}
