import { isDeepStrictEqual } from 'node:util'
import type { ObservedNamespace } from './host.ts'
import { netnsOwner } from './mark.ts'
import { type Firewall, NO_FIREWALL } from './namespace.ts'
import { type Firewalls, NamespaceFirewall } from './namespace-firewall.ts'
import { netnsPath } from './netns.ts'
import { NetnsReader, type NetnsState } from './netns-reader.ts'
import type { News } from './news.ts'
import { devicesOf, routesOf } from './observation.ts'
import type { PortSwitch, SwitchPort } from './port-switch.ts'
import type { Link } from './rtnetlink.ts'

/** One namespace that we look at, and what of it was seen last. */
export interface Held {
  readonly inode: number
  readonly reader: NetnsReader
  /** undefined: nobody wants rules in such a namespace. */
  readonly firewall: NamespaceFirewall | undefined
  rules: Firewall
  /** What the kernel says, in the words of the plan, and what that was worked out of. */
  kernel: Seen | undefined
  observed: ObservedNamespace | undefined
}

interface Seen extends Pick<ObservedNamespace, 'isOurs' | 'sysctls' | 'devices' | 'routes'> {
  readonly state: NetnsState
  /** The other ends, and the bridges those are on. */
  readonly beyond: readonly Beyond[]
}

type Beyond = Link | SwitchPort | undefined

export interface HeldOptions {
  readonly mark: string
  readonly sysctls: readonly string[]
  readonly hasFirewall: (netns: string) => boolean
  readonly news: News
  readonly firewalls: Firewalls
  readonly ports: PortSwitch
  /** Called before each reading of a namespace or of its rules. */
  readonly onRead: (netns: string) => void
}

/** Sysctls that others change are seen at the next look (every 2 s), and later where there are many namespaces, since
 *  finding one takes the kernel a time that grows with their number: some 0.1 ms for all of a namespace up to a hundred, 0.5
 *  ms at a thousand. So it is 7 s at a hundred, 5 minutes at a thousand, and never more than 0.25 % of a core. */
const SYSCTL_PERIOD_MILLISECONDS = 1_500
const SYSCTL_MILLISECONDS = { each: 40, squared: 0.27 }
/** Of so many at one look. */
const SYSCTL_READERS = 40
/** Rules of so many namespaces are read at once, each by processes. */
const READERS = 4

/** The namespaces that we look at. Each is kept alive by the sockets that hear of its changes. */
export class HeldNamespaces {
  readonly #options: HeldOptions
  readonly #held = new Map<string, Held>()
  #sysctlsLeft = 0

  constructor(options: HeldOptions) {
    this.#options = options
  }

  get names(): readonly string[] {
    return [...this.#held.keys()]
  }

  get(netns: string): Held | undefined {
    return this.#held.get(netns)
  }

  /** @throws Error when the namespace cannot be entered */
  hold(netns: string, inode: number): Held {
    const { sysctls, hasFirewall, news, firewalls, onRead } = this.#options
    const path = netnsPath(netns)
    const held = {
      inode,
      reader: new NetnsReader(path, sysctls, news, () => onRead(netns)),
      firewall: hasFirewall(netns) ? new NamespaceFirewall(path, firewalls, () => onRead(netns)) : undefined,
      rules: NO_FIREWALL,
      kernel: undefined,
      observed: undefined,
    }
    this.#held.set(netns, held)
    return held
  }

  release(netns: string): void {
    const held = this.#held.get(netns)
    held?.reader.close()
    held?.firewall?.close()
    this.#held.delete(netns)
  }

  /** Reads the rules of those in which any have changed. @returns why, of those whose rules cannot be read */
  async readRules(): Promise<ReadonlyMap<string, unknown>> {
    this.#sysctlsLeft = SYSCTL_READERS
    const failed = new Map<string, unknown>()
    const waiting = [...this.#held].filter(([, { firewall }]) => firewall?.isDue).values()
    const worker = async () => {
      for (const [netns, held] of waiting) {
        try {
          held.rules = (await held.firewall?.observe()) ?? NO_FIREWALL
        } catch (error) {
          failed.set(netns, error)
        }
      }
    }
    await Promise.all(Array.from({ length: READERS }, worker))
    return failed
  }

  /** @returns undefined when somebody else made it; the same object as long as nothing changed */
  observe(
    name: string,
    held: Held,
    outside: ReadonlyMap<number, Link>,
    { alive, running }: Pick<Alive, 'alive' | 'running'>,
  ): ObservedNamespace | undefined {
    const seen = this.#see(held, outside)
    if (seen === undefined) return undefined
    const { isOurs, sysctls, devices, routes, state } = seen
    const before = held.observed
    const listening = kept(before?.listening, alive(name, state.links), isSameSet)
    const programs = kept(before?.programs, running(name), isSameList)
    const firewall = held.rules
    const now = { name, isOurs, isEmptyName: false, sysctls, devices, routes, firewall, listening, programs }
    held.observed = kept(before, now, isSameNamespace)
    return held.observed
  }

  #isTimeForSysctls(age: number): boolean {
    if (age < sysctlPeriod(this.#held.size)) return false
    this.#sysctlsLeft -= 1
    return this.#sysctlsLeft >= 0
  }

  #see(held: Held, outside: ReadonlyMap<number, Link>): Seen | undefined {
    const state = held.reader.state((age) => this.#isTimeForSysctls(age))
    const before = held.kernel
    const beyond = linksBeyond(state.links, outside, this.#options.ports)
    if (before?.state === state && isSameList(before.beyond, beyond)) return before
    const owner = netnsOwner(state.links, this.#options.mark)
    if (owner === 'others') return undefined
    const { sysctls } = state
    held.kernel = {
      isOurs: owner === 'us',
      sysctls: kept(before?.sysctls, sysctls, isDeepStrictEqual),
      devices: kept(before?.devices, devicesOf(state, outside, this.#options.ports), isDeepStrictEqual),
      routes: kept(before?.routes, routesOf(state), isDeepStrictEqual),
      state,
      beyond,
    }
    return held.kernel
  }
}

function sysctlPeriod(namespaces: number): number {
  const { each, squared } = SYSCTL_MILLISECONDS
  return Math.max(SYSCTL_PERIOD_MILLISECONDS, namespaces * each + namespaces ** 2 * squared)
}

/** What of a namespace is ours to know, and not the kernel's. */
export interface Alive {
  readonly alive: (netns: string, links: readonly Link[]) => ReadonlySet<string>
  readonly running: (netns: string) => ObservedNamespace['programs']
}

function linksBeyond(links: readonly Link[], outside: ReadonlyMap<number, Link>, ports: PortSwitch): readonly Beyond[] {
  return links.flatMap(({ peer }) => {
    const end = peer === 0 ? undefined : outside.get(peer)
    return [end, end && outside.get(end.master), end && ports.port(end.name)]
  })
}

/** The old one where the new one says the same, so that equal is the same. */
function kept<T>(before: T | undefined, now: T, isSame: (a: T, b: T) => boolean): T {
  return before !== undefined && isSame(before, now) ? before : now
}

function isSameSet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one))
}

function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i])
}

function isSameNamespace(a: ObservedNamespace, b: ObservedNamespace): boolean {
  return (Object.keys(b) as (keyof ObservedNamespace)[]).every((part) => a[part] === b[part])
}
