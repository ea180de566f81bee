import { errorCode } from '../errors.ts'
import type { NamespaceSockets } from '../listeners.ts'
import { type Listener, listenerKey } from '../namespace.ts'
import type { Link } from '../rtnetlink.ts'
import { connectKeeper, type KeeperConnection } from './connection.ts'
import type { Kept } from './messages.ts'

export interface KeptSocketsOptions {
  /** The keeper's unix socket. */
  readonly path: string
  /** Starts a keeper there. Resolves when it may be connected to. */
  readonly startKeeper: () => Promise<void>
}

/** Sockets in namespaces that outlive us: a keeper has them. What an earlier run had opened is there from the start. */
export class KeptSockets implements NamespaceSockets {
  readonly #options: KeptSocketsOptions
  /** By namespace, then by key. */
  readonly #kept = new Map<string, Map<string, Kept>>()
  #connection: KeeperConnection | undefined
  #connecting: Promise<KeeperConnection> | undefined
  #isLetGo = false
  readonly #lostListeners = new Set<() => void>()

  private constructor(options: KeptSocketsOptions) {
    this.#options = options
  }

  /** @throws Error when no keeper runs and none can be started */
  static async open(options: KeptSocketsOptions): Promise<KeptSockets> {
    const sockets = new KeptSockets(options)
    await sockets.#connected()
    return sockets
  }

  async open(netns: string, listener: Listener, _: readonly Link[], beside = false): Promise<void> {
    this.close(netns, listenerKey(listener))
    const connection = await this.#connected()
    this.#note(await connection.ask({ ask: 'open', netns, listener, isShared: beside }))
  }

  async share(netns: string, key: string): Promise<void> {
    const kept = this.#kept.get(netns)?.get(key)
    if (kept !== undefined) await (await this.#connected()).ask({ ask: 'share', ids: [kept.id] })
  }

  close(netns: string, key: string, isRelieved = false): void {
    this.#close(netns, (kept) => listenerKey(kept.listener) === key, isRelieved)
  }

  closeAll(netns: string): void {
    this.#close(netns, () => true)
  }

  alive(netns: string, links: readonly Link[]): ReadonlySet<string> {
    const indexOf = (device: string | null) => links.find(({ name }) => name === device)?.index ?? 0
    this.#close(netns, (kept) => indexOf(kept.listener.device) !== kept.deviceIndex)
    return new Set(this.#kept.get(netns)?.keys())
  }

  get namespaces(): readonly string[] {
    return [...this.#kept.keys()]
  }

  /** The keeper ended by itself, and all its sockets with it. */
  onLost(listener: () => void): void {
    this.#lostListeners.add(listener)
  }

  /** Hangs up; the keeper keeps what it has. */
  release(): void {
    this.#isLetGo = true
    this.#connection?.close()
  }

  /** Closes everything and ends the keeper, also after it was released. Resolves when it is gone. */
  async end(): Promise<void> {
    this.release()
    const { promise: gone, resolve } = Promise.withResolvers<void>()
    try {
      const connection = await connectKeeper(this.#options.path, { onClose: resolve })
      await connection.ask({ ask: 'end' })
      await gone
    } catch {
      // It was gone already.
    }
  }

  /** One keeper is enough, however many ask for it at once. */
  #connected(): Promise<KeeperConnection> {
    this.#connecting ??= this.#begin().catch((error) => {
      this.#connecting = undefined
      throw error
    })
    return this.#connecting
  }

  async #begin(): Promise<KeeperConnection> {
    const connection = await this.#connect()
    this.#note(await connection.ask({ ask: 'list' }))
    this.#connection = connection
    return connection
  }

  async #connect(): Promise<KeeperConnection> {
    const onClose = () => this.#lost()
    try {
      return await connectKeeper(this.#options.path, { onClose })
    } catch (error) {
      if (!['ENOENT', 'ECONNREFUSED'].includes(errorCode(error) ?? '')) throw error
      await this.#options.startKeeper()
      return connectKeeper(this.#options.path, { onClose })
    }
  }

  #lost(): void {
    this.#connection = undefined
    this.#connecting = undefined
    this.#kept.clear()
    if (!this.#isLetGo) for (const listener of this.#lostListeners) listener()
  }

  #note(opened: readonly Kept[]): void {
    for (const kept of opened) {
      const there = this.#kept.get(kept.netns) ?? new Map<string, Kept>()
      this.#kept.set(kept.netns, there.set(listenerKey(kept.listener), kept))
    }
  }

  #close(netns: string, isMeant: (kept: Kept) => boolean, isRelieved = false): void {
    const there = this.#kept.get(netns) ?? new Map<string, Kept>()
    const closed = [...there].filter(([, kept]) => isMeant(kept))
    if (closed.length === 0) return
    for (const [key] of closed) there.delete(key)
    if (there.size === 0) this.#kept.delete(netns)
    // A keeper that is gone has closed them itself.
    const ids = closed.map(([, { id }]) => id)
    this.#connection?.ask({ ask: 'close', ids, isRelieved }).catch(() => undefined)
  }
}
