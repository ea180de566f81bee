import { closeSync } from 'node:fs'
import { Epoll } from './epoll.ts'
import { announced, hasNews } from './netlink.ts'

/** What the kernel announces on many netlink sockets, each of which tells somebody that he has to read again. */
export class News {
  readonly #epoll = new Epoll()
  /** What reads a socket, and says whether there was anything. */
  readonly #readers = new Map<number, () => boolean>()

  /**
   * @param fd      a netlink socket that has subscribed to something; closed by the function that is returned
   * @param onNews  called while `hear` runs, once for all that came
   */
  subscribe(fd: number, onNews: () => void): () => void {
    return this.#watch(fd, () => {
      const isNews = hasNews(fd)
      if (isNews) onNews()
      return isNews
    })
  }

  /** The same for who wants to know what was announced. @param onMessages  told undefined when some of it was lost */
  follow(fd: number, onMessages: (messages: readonly Buffer[] | undefined) => void): () => void {
    return this.#watch(fd, () => {
      const messages = announced(fd)
      if (messages?.length === 0) return false
      onMessages(messages)
      return true
    })
  }

  /** Takes in all that was announced until now. @returns whether there was anything */
  hear(): boolean {
    return this.#epoll.ready().filter((fd) => this.#readers.get(fd)?.()).length > 0
  }

  close(): void {
    this.#epoll.close()
  }

  #watch(fd: number, read: () => boolean): () => void {
    this.#epoll.add(fd)
    this.#readers.set(fd, read)
    return () => {
      this.#readers.delete(fd)
      this.#epoll.delete(fd)
      closeSync(fd)
    }
  }
}
