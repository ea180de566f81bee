import { readFileSync } from 'node:fs'
import { errorCode } from './errors.ts'
import { FAMILIES, type Family, ownTables, restoreInput, type SavedTable } from './firewall.ts'
import { iptablesVariant, restoreRules, saveRules, type Variant } from './iptables.ts'
import { type Firewall, NO_FIREWALL } from './namespace.ts'
import { inNamespace } from './netns.ts'
import type { News } from './news.ts'
import { familiesWithTables, openRuleNews } from './nftables.ts'

/** Rules of legacy tables change without a word. They are read again this late, and later where there are many: each
 *  reading is a process. */
const LEGACY_PERIOD_MILLISECONDS = 4_000
const LEGACY_MILLISECONDS_EACH = 500

/** How long iptables is taken to be missing before it is looked for again. */
const MISSING_MILLISECONDS = 5_000

/** What holds for the firewalls of all namespaces. */
export class Firewalls {
  readonly news: News
  #variant: Promise<Variant> | undefined
  #askedAt = 0
  /** Namespaces with rules that have to be looked for. */
  #legacy = 0

  constructor(news: News) {
    this.news = news
  }

  /** @throws HostError when iptables is not installed */
  variant(): Promise<Variant> {
    if (this.#variant === undefined || performance.now() - this.#askedAt > MISSING_MILLISECONDS) {
      this.#askedAt = performance.now()
      this.#variant = iptablesVariant()
      this.#variant.then(() => {
        this.#askedAt = Number.POSITIVE_INFINITY
      }, ignore)
    }
    return this.#variant
  }

  /** @returns a function that ends it */
  countLegacy(): () => void {
    this.#legacy += 1
    return () => {
      this.#legacy -= 1
    }
  }

  get legacyPeriodMilliseconds(): number {
    return Math.max(LEGACY_PERIOD_MILLISECONDS, this.#legacy * LEGACY_MILLISECONDS_EACH)
  }
}

function ignore(): void {}

/** Our rules in one namespace, read again only after the kernel announced a change of any. */
export class NamespaceFirewall {
  readonly #path: string
  readonly #all: Firewalls
  readonly #onRead: () => void
  #variant: Variant | undefined
  #unsubscribe: (() => void) | undefined
  #isNews = true
  #readAt = 0

  /** @param onRead  called before each reading */
  constructor(path: string, all: Firewalls, onRead: () => void) {
    this.#path = path
    this.#all = all
    this.#onRead = onRead
  }

  /** Whether it has to be read again. */
  get isDue(): boolean {
    const isSilent = this.#variant === 'legacy'
    return this.#isNews || (isSilent && performance.now() - this.#readAt > this.#all.legacyPeriodMilliseconds)
  }

  /** None where iptables is missing: whoever sets some is told. @throws HostError */
  async observe(): Promise<Firewall> {
    const variant = await this.#all.variant().catch(() => undefined)
    if (variant === undefined) return NO_FIREWALL
    this.#subscribe(variant)
    this.#onRead()
    this.#isNews = false
    this.#readAt = performance.now()
    try {
      const [ipv4, ipv6] = await Promise.all([this.#save(4, variant), this.#save(6, variant)])
      return { 4: ownTables(ipv4), 6: ownTables(ipv6) }
    } catch (error) {
      this.#isNews = true
      throw error
    }
  }

  close(): void {
    this.#unsubscribe?.()
  }

  /** Before the first reading, so that no change falls between. */
  #subscribe(variant: Variant): void {
    if (this.#unsubscribe !== undefined) return
    this.#variant = variant
    this.#unsubscribe = variant === 'legacy' ? this.#all.countLegacy() : this.#hearOfRules()
  }

  #hearOfRules(): () => void {
    return this.#all.news.subscribe(inNamespace<number>(this.#path, openRuleNews), () => {
      this.#isNews = true
    })
  }

  /** @throws HostError */
  async set(wanted: Firewall): Promise<void> {
    const variant = await this.#all.variant()
    this.#isNews = true
    await Promise.all(
      FAMILIES.map(async (family) => {
        const input = restoreInput(await this.#save(family, variant), wanted[family])
        if (input !== '') await restoreRules(this.#path, family, input)
      }),
    )
  }

  /** Starts no program where the kernel says that there is nothing. */
  async #save(family: Family, variant: Variant): Promise<readonly SavedTable[]> {
    const families = inNamespace<ReadonlySet<Family>>(this.#path, HAVE_TABLES[variant])
    return families.has(family) ? saveRules(this.#path, family) : []
  }
}

/** Families with tables in the namespace of the calling thread. */
const HAVE_TABLES: Readonly<Record<Variant, () => ReadonlySet<Family>>> = {
  nf_tables: familiesWithTables,
  legacy: () => new Set(FAMILIES.filter((family) => legacyTables(family) !== '')),
}

/** Names of the tables that have been used. None also where the kernel has no such tables yet. */
function legacyTables(family: Family): string {
  try {
    return readFileSync(`/proc/thread-self/net/${family === 4 ? 'ip_tables_names' : 'ip6_tables_names'}`, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return ''
    throw error
  }
}
