import { type Listener, listenerKey } from './namespace.ts'
import { netnsPath } from './netns.ts'
import type { Link } from './rtnetlink.ts'
import { openListener } from './sockets.ts'

/** Puts a server on a listening socket. @returns what takes it off again: it must close the socket at once, and the
 *  connections too, each of which keeps the namespace alive */
export type OpenProxy = (fd: number, listener: Listener) => () => void

/** As haproxy's in the field. */
const BACKLOG = 1024

interface Open {
  /** The device a link-local socket is bound to, and its index: a device made anew has another. */
  readonly device: string | null
  readonly deviceIndex: number
  readonly close: () => void
}

/** The sockets our process has open in namespaces, by namespace and key. */
export class Listeners {
  readonly #open = new Map<string, Map<string, Open>>()
  readonly #openProxy: OpenProxy

  constructor(openProxy: OpenProxy) {
    this.#openProxy = openProxy
  }

  /** @param links  those of the namespace */
  open(netns: string, listener: Listener, links: readonly Link[]): void {
    const key = listenerKey(listener)
    this.close(netns, key)
    const fd = openListener(netnsPath(netns), { ...listener, backlog: BACKLOG })
    const close = this.#openProxy(fd, listener)
    const open = this.#open.get(netns) ?? new Map<string, Open>()
    this.#open.set(
      netns,
      open.set(key, { device: listener.device, deviceIndex: indexOf(listener.device, links), close }),
    )
  }

  close(netns: string, key: string): void {
    this.#open.get(netns)?.get(key)?.close()
    this.#open.get(netns)?.delete(key)
  }

  closeAll(netns: string): void {
    for (const { close } of this.#open.get(netns)?.values() ?? []) close()
    this.#open.delete(netns)
  }

  /** Keys of those that can be reached; closes those whose device is gone. */
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
}

function indexOf(device: string | null, links: readonly Link[]): number {
  return links.find(({ name }) => name === device)?.index ?? 0
}
