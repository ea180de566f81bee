import { closeSync } from 'node:fs'
import { checked, epoll_create1, epoll_ctl, epoll_wait, errno } from './libc.ts'

/** epoll(7): which of many descriptors have something to read, asked by one call whose cost does not grow with the number
 *  of the quiet ones. */

const EPOLL_CLOEXEC = 0o2_000_000
const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLLIN = 0x1
const EINTR = 4

/** struct epoll_event: events and, of 8 bytes, what we want to be told with them. Packed on x86 only (linux/eventpoll.h). */
const isPacked = process.arch === 'x64' || process.arch === 'ia32'
const EVENT = isPacked ? { data: 4, size: 12 } : { data: 8, size: 16 }

export class Epoll {
  readonly #fd = checked(epoll_create1(EPOLL_CLOEXEC), 'opening an epoll descriptor')
  /** Room for all of them, so that none waits behind the others. */
  #events = Buffer.alloc(0)
  #count = 0

  /** Until `delete`, which has to come before it is closed. */
  add(fd: number): void {
    const event = Buffer.alloc(EVENT.size)
    event.writeUInt32LE(EPOLLIN, 0)
    event.writeInt32LE(fd, EVENT.data)
    checked(epoll_ctl(this.#fd, EPOLL_CTL_ADD, fd, event), 'watching a descriptor')
    this.#count += 1
    const needed = this.#count * EVENT.size
    if (this.#events.length < needed) this.#events = Buffer.alloc(2 * needed)
  }

  delete(fd: number): void {
    checked(epoll_ctl(this.#fd, EPOLL_CTL_DEL, fd, this.#events), 'watching a descriptor no more')
    this.#count -= 1
  }

  /** Those that can be read now, or are broken. */
  ready(): readonly number[] {
    if (this.#count === 0) return []
    const count = epoll_wait(this.#fd, this.#events, this.#count, 0)
    if (count === -1 && errno() === EINTR) return []
    checked(count, 'asking for news')
    return Array.from({ length: count }, (_, i) => this.#events.readInt32LE(i * EVENT.size + EVENT.data))
  }

  close(): void {
    closeSync(this.#fd)
  }
}
