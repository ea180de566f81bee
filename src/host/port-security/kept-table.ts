import { HostError } from '../errors.ts'
import type { ObservedPortSecurity } from '../host.ts'
import type { News } from '../news.ts'
import { bridgeTables, openRuleNews } from '../nftables.ts'
import { captureProgram, lastLines, runProgram } from '../programs.ts'
import type { Element } from './elements.ts'
import { changeInput, makeInput, readTable, removeInput, tableName } from './table.ts'

export interface TableOptions {
  /** What we make is marked with. */
  readonly mark: string
  readonly news: News
  readonly warn: (what: string) => void
  /** Told of the table before each reading. */
  readonly onRead: (table: string) => void
}

/** How long nft is taken to be missing before it is looked for again. */
const MISSING_MILLISECONDS = 5_000

/** Our table in the namespace this process is in, read again only after the kernel announced a change of any. */
export class PortSecurityTable {
  readonly table: string
  readonly #options: TableOptions
  #unsubscribe: (() => void) | undefined
  #isNews = true
  #seen: ObservedPortSecurity | undefined
  /** One at a time: who comes meanwhile gets the same. */
  #reading: Promise<ObservedPortSecurity> | undefined
  #hasNft = false
  #lookedForAt = Number.NEGATIVE_INFINITY
  #hasWarned = false

  constructor(options: TableOptions) {
    this.#options = options
    this.table = tableName(options.mark)
  }

  /** The same object as long as it says the same. @returns undefined where there is no nft @throws HostError */
  async observe(): Promise<ObservedPortSecurity | undefined> {
    if (!(await this.#isNftThere())) return undefined
    if (!this.#isNews && this.#seen !== undefined) return this.#reading ?? this.#seen
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** @throws HostError */
  async make(elements: readonly Element[]): Promise<void> {
    await this.#run(makeInput(this.table, this.#options.mark, elements))
  }

  /** @throws HostError when an element to be removed is not there, and nothing is changed */
  async change(add: readonly Element[], remove: readonly Element[]): Promise<void> {
    await this.#run(changeInput(this.table, add, remove))
  }

  /** @throws HostError */
  async remove(): Promise<void> {
    await this.#run(removeInput(this.table))
  }

  close(): void {
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
  }

  async #read(): Promise<ObservedPortSecurity> {
    // Before the first reading, so that no change falls between.
    this.#unsubscribe ??= this.#options.news.subscribe(openRuleNews(), () => {
      this.#isNews = true
    })
    this.#options.onRead(this.table)
    this.#isNews = false
    try {
      const now = await this.#list()
      const before = this.#seen
      this.#seen = before !== undefined && isSame(before, now) ? before : now
      return this.#seen
    } catch (error) {
      this.#isNews = true
      throw error
    }
  }

  /** Starts no program where the kernel says that there is nothing. */
  async #list(): Promise<ObservedPortSecurity> {
    const { table } = this
    const missing = { table, exists: false, damage: undefined, elements: new Set<Element>() }
    if (!bridgeTables().has(table)) return missing
    const { exitCode, stdout, stderr } = await captureProgram('nft', ['-j', 'list', 'table', 'bridge', table])
    if (exitCode === 0) return { table, exists: true, ...readTable(stdout) }
    if (!bridgeTables().has(table)) return missing
    throw new HostError(`\`nft -j list table bridge ${table}\` exited with ${exitCode}: ${lastLines(stderr)}`)
  }

  async #run(input: string): Promise<void> {
    this.#isNews = true
    await runProgram('nft', ['-f', '-'], { input })
  }

  async #isNftThere(): Promise<boolean> {
    if (this.#hasNft || performance.now() - this.#lookedForAt < MISSING_MILLISECONDS) return this.#hasNft
    this.#lookedForAt = performance.now()
    try {
      await runProgram('nft', ['--version'])
      this.#hasNft = true
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      if (!this.#hasWarned)
        this.#options.warn(`${why}; without it a guest can take a neighbour's address and read that one's metadata`)
      this.#hasWarned = true
    }
    return this.#hasNft
  }
}

function isSame(a: ObservedPortSecurity, b: ObservedPortSecurity): boolean {
  return a.exists === b.exists && a.damage === b.damage && isSameSet(a.elements, b.elements)
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one))
}
