import { closeSync } from 'node:fs'
import { Epoll } from './epoll.ts'
import { hasNews } from './netlink.ts'

/** What the kernel announces on many netlink sockets, each of which tells somebody that he has to read again. */
export class News {
  readonly #epoll = new Epoll()
  readonly #told = new Map<number, () => void>()

  /**
   * @param fd      a netlink socket that has subscribed to something; closed by the function that is returned
   * @param onNews  called while `hear` runs, once for all that came
   */
  subscribe(fd: number, onNews: () => void): () => void {
    this.#epoll.add(fd)
    this.#told.set(fd, onNews)
    return () => {
      this.#told.delete(fd)
      this.#epoll.delete(fd)
      closeSync(fd)
    }
  }

  /** Takes in all that was announced until now. @returns whether there was anything */
  hear(): boolean {
    const ready = this.#epoll.ready().filter(hasNews)
    for (const fd of ready) this.#told.get(fd)?.()
    return ready.length > 0
  }

  close(): void {
    this.#epoll.close()
  }
}
