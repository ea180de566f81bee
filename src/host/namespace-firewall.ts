import { FAMILIES, type Family, ownTables, restoreInput, type SavedTable } from './firewall.ts'
import { iptablesVariant, restoreRules, saveRules, type Variant } from './iptables.ts'
import { familiesWithLegacyTables, LegacyRules } from './legacy-rules.ts'
import { type Firewall, NO_FIREWALL } from './namespace.ts'
import { inNamespace } from './netns.ts'
import type { News } from './news.ts'
import { familiesWithTables, openRuleNews } from './nftables.ts'

/** Rules of legacy tables change without a word. Those of so many namespaces are looked at whenever news are heard, five
 *  times a second: a change is found after 0.2 s where there are few, after 1.6 s where there are two hundred, and looking
 *  takes no more than 1 % of a core however many there are. */
const SILENT_AT_ONCE = 25

/** How long iptables is taken to be missing before it is looked for again. */
const MISSING_MILLISECONDS = 5_000

/** What holds for the firewalls of all namespaces. */
export class Firewalls {
  readonly news: News
  #variant: Promise<Variant> | undefined
  #askedAt = 0
  /** Looks at rules of which nothing is announced, and says whether they have changed. The longest not looked at is first. */
  readonly #silent = new Set<() => boolean>()

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

  /** @param haveChanged  asked now and then @returns a function that ends it */
  lookAfter(haveChanged: () => boolean): () => void {
    this.#silent.add(haveChanged)
    return () => this.#silent.delete(haveChanged)
  }

  /** Looks at some of the rules that change without being announced. @returns whether any have changed */
  hear(): boolean {
    const looks = [...this.#silent].slice(0, SILENT_AT_ONCE)
    for (const look of looks) {
      this.#silent.delete(look)
      this.#silent.add(look)
    }
    return looks.filter((haveChanged) => haveChanged()).length > 0
  }
}

function ignore(): void {}

/** Our rules in one namespace, read again only after any have changed. */
export class NamespaceFirewall {
  readonly #path: string
  readonly #all: Firewalls
  readonly #onRead: () => void
  readonly #legacy: LegacyRules
  #unsubscribe: (() => void) | undefined
  #isNews = true
  /** We have set rules of which nothing was told yet. */
  #isSet = false

  /** @param onRead  called before each reading */
  constructor(path: string, all: Firewalls, onRead: () => void) {
    this.#path = path
    this.#all = all
    this.#onRead = onRead
    this.#legacy = new LegacyRules(path)
  }

  /** Whether it has to be read again. */
  get isDue(): boolean {
    return this.#isNews
  }

  /** None where iptables is missing: whoever sets some is told. @throws HostError */
  async observe(): Promise<Firewall> {
    const variant = await this.#all.variant().catch(() => undefined)
    if (variant === undefined) return NO_FIREWALL
    this.#subscribe(variant)
    this.#onRead()
    this.#isNews = false
    this.#isSet = false
    try {
      // Before they are read, so that no change falls between.
      if (variant === 'legacy') this.#legacy.remember()
      const [ipv4, ipv6] = await Promise.all([this.#save(4, variant), this.#save(6, variant)])
      return { 4: ownTables(ipv4), 6: ownTables(ipv6) }
    } catch (error) {
      this.#isNews = true
      throw error
    }
  }

  close(): void {
    this.#unsubscribe?.()
    this.#legacy.close()
  }

  /** Before the first reading, so that no change falls between. */
  #subscribe(variant: Variant): void {
    if (this.#unsubscribe !== undefined) return
    this.#unsubscribe = variant === 'legacy' ? this.#lookAfterRules() : this.#hearOfRules()
  }

  /** What we have set ourselves is told as the kernel would tell it: so it is soon read, and what others do is seen again. */
  #lookAfterRules(): () => void {
    return this.#all.lookAfter(() => {
      const isNews = this.#isSet || (!this.#isNews && this.#legacy.haveChanged)
      this.#isSet = false
      this.#isNews ||= isNews
      return isNews
    })
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
    this.#isSet = true
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
  legacy: familiesWithLegacyTables,
}
