import { readdirSync, statSync } from 'node:fs'
import { NETNS_DIRECTORY, netnsInode, netnsPath } from './netns.ts'

/** A namespace is mounted on its name after the name was made, and what is mounted can be changed without the directory
 *  being told: so late is that seen. */
const PERIOD_MILLISECONDS = 10_000
/** Two changes closer together than the kernel's clock ticks leave the directory with the same time. */
const TICK_MILLISECONDS = 50

/** Names under which there are namespaces, looked up again only when the directory has changed. */
export class NetnsNames {
  readonly #isWanted: (name: string) => boolean
  #found: ReadonlyMap<string, number | undefined> = new Map()
  #asOf = 0n
  #readAt = Number.NEGATIVE_INFINITY

  constructor(isWanted: (name: string) => boolean) {
    this.#isWanted = isWanted
  }

  /** Inodes by name; undefined: there is no namespace behind the name. The same object as long as nothing changed. */
  current(): ReadonlyMap<string, number | undefined> {
    const { mtimeNs, mtimeMs } = statSync(NETNS_DIRECTORY, { bigint: true })
    const isFresh = performance.now() - this.#readAt < PERIOD_MILLISECONDS
    if (mtimeNs === this.#asOf && isFresh) return this.#found
    const names = readdirSync(NETNS_DIRECTORY).filter(this.#isWanted)
    this.#found = new Map(names.map((name) => [name, netnsInode(netnsPath(name))]))
    this.#readAt = performance.now()
    const isSettled = Date.now() - Number(mtimeMs) > TICK_MILLISECONDS && !this.#hasEmptyName()
    this.#asOf = isSettled ? mtimeNs : 0n
    return this.#found
  }

  #hasEmptyName(): boolean {
    return [...this.#found.values()].includes(undefined)
  }
}

/** A name without a namespace may be one that somebody is just making. */
const YOUNG_MILLISECONDS = 10_000

export function isYoung(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat !== undefined && Date.now() - stat.mtimeMs < YOUNG_MILLISECONDS
}
