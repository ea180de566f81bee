import { type Listener, listenerKey } from './namespace.ts'
import { netnsPath } from './netns.ts'
import type { Link } from './rtnetlink.ts'
import { openListener, shareListener } from './sockets.ts'

/** Puts a server on a listening socket. @returns what takes it off again: the socket is closed at once, and connections
 *  too (each keeps the namespace alive), unless requests in hand are given time */
export type OpenProxy = (fd: number, listener: Listener) => CloseProxy
export type CloseProxy = (graceMilliseconds?: number) => Promise<void>

/** Listening sockets in namespaces, by namespace and key. */
export interface NamespaceSockets {
  /** @param links  those of the namespace
   *  @param beside  another may listen there already, if it shares the place
   *  @throws Error with `code` (`EADDRINUSE`: somebody else listens there) */
  open(netns: string, listener: Listener, links: readonly Link[], beside?: boolean): void | Promise<void>
  /** Lets another process of ours listen in the same place. */
  share(netns: string, key: string): void | Promise<void>
  /** @param isRelieved  another listens in its place: requests in hand are given time */
  close(netns: string, key: string, isRelieved?: boolean): void
  closeAll(netns: string): void
  /** Keys of those that can be reached; closes those whose device is gone. @param links  those of the namespace */
  alive(netns: string, links: readonly Link[]): ReadonlySet<string>
  /** In which any is open. */
  readonly namespaces: readonly string[]
  /** Lets go of all, as at the end of this process: what outlives it stays open. */
  release(): void
  /** Calls back when all of them were lost at once, and have to be opened anew. */
  onLost(listener: () => void): void
}

/** As haproxy's in the field. */
const BACKLOG = 1024
/** What requests in hand are given where another has taken the place: more than the answer to any takes. */
export const RELIEF_MILLISECONDS = 30_000

interface Open {
  readonly fd: number
  /** The device a link-local socket is bound to, and its index: a device made anew has another. */
  readonly device: string | null
  readonly deviceIndex: number
  readonly close: CloseProxy
}

/** Those this process opens and serves itself, and that end with it. */
export class Listeners implements NamespaceSockets {
  readonly #open = new Map<string, Map<string, Open>>()
  readonly #openProxy: OpenProxy

  constructor(openProxy: OpenProxy) {
    this.#openProxy = openProxy
  }

  open(netns: string, listener: Listener, links: readonly Link[], beside = false): void {
    const key = listenerKey(listener)
    this.close(netns, key)
    const fd = openListener(netnsPath(netns), { ...listener, backlog: BACKLOG, isShared: beside })
    const close = this.#openProxy(fd, listener)
    const open = this.#open.get(netns) ?? new Map<string, Open>()
    this.#open.set(
      netns,
      open.set(key, { fd, device: listener.device, deviceIndex: indexOf(listener.device, links), close }),
    )
  }

  share(netns: string, key: string): void {
    const open = this.#open.get(netns)?.get(key)
    if (open !== undefined) shareListener(open.fd)
  }

  close(netns: string, key: string, isRelieved = false): void {
    void this.#open
      .get(netns)
      ?.get(key)
      ?.close(isRelieved ? RELIEF_MILLISECONDS : 0)
    this.#open.get(netns)?.delete(key)
  }

  closeAll(netns: string): void {
    for (const { close } of this.#open.get(netns)?.values() ?? []) void close()
    this.#open.delete(netns)
  }

  alive(netns: string, links: readonly Link[]): ReadonlySet<string> {
    const open = this.#open.get(netns) ?? new Map<string, Open>()
    for (const [key, { device, deviceIndex }] of open) {
      if (indexOf(device, links) !== deviceIndex) this.close(netns, key)
    }
    return new Set(open.keys())
  }

  get namespaces(): readonly string[] {
    return [...this.#open.keys()]
  }

  /** They end with us. */
  onLost(): void {}

  release(): void {
    for (const netns of this.namespaces) this.closeAll(netns)
  }
}

function indexOf(device: string | null, links: readonly Link[]): number {
  return links.find(({ name }) => name === device)?.index ?? 0
}
