import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { runActions } from './actions.ts'
import { commandActions } from './command-actions.ts'
import { explained } from './descriptors.ts'
import { driftBetween } from './drift.ts'
import { HostError } from './errors.ts'
import { type Held, HeldNamespaces } from './held-namespaces.ts'
import type { Command, DatapathHost, Observed, ObservedNamespace, ObservedPortSecurity } from './host.ts'
import { KeptPrograms } from './kept-programs/kept-programs.ts'
import type { NamespaceSockets } from './listeners.ts'
import { markOf } from './mark.ts'
import { type Firewall, NO_FIREWALL } from './namespace.ts'
import { Firewalls, NamespaceFirewall } from './namespace-firewall.ts'
import { NETNS_DIRECTORY, netnsInode, netnsPath } from './netns.ts'
import { isYoung, NetnsNames } from './netns-names.ts'
import { LinksReader } from './netns-reader.ts'
import { News } from './news.ts'
import { bridgesReader } from './observation.ts'
import { OwnChanges } from './own-changes.ts'
import { PortSecurityTable } from './port-security/kept-table.ts'
import { NO_SWITCH, type PortSwitch } from './port-switch.ts'
import type { Link } from './rtnetlink.ts'
import { watchNames } from './watch.ts'

export interface KernelHostOptions {
  /** What our namespaces' names begin with (`qdhcp-`). What others made under such a name is left alone. */
  readonly netnsPrefixes: readonly string[]
  /** Those of them that can have firewall rules (`qrouter-`). None when absent. */
  readonly firewallPrefixes?: readonly string[]
  /** `brq` */
  readonly bridgePrefix: string
  /** Directories of programs lie below it. Absolute, and there: what we make is marked with it. */
  readonly statePath: string
  /** Those of namespaces that are looked at. */
  readonly sysctls: readonly string[]
  readonly sockets: NamespaceSockets
  /** None when absent. */
  readonly ports?: PortSwitch
  /** Told what works less well than it should here. */
  readonly warn: (what: string) => void
  /** Told of each namespace that is read, its rules or its devices, for those who count. */
  readonly onRead?: (netns: string) => void
}

interface TableLook {
  readonly seen: ObservedPortSecurity | undefined
  /** The table's name and why it cannot be read. */
  readonly failed: readonly (readonly [string, unknown])[]
}

/** So late the kernel is asked what it has announced. */
const NEWS_MILLISECONDS = 200

/** The datapath on the kernel of this machine, in the namespace this process is in. */
export class KernelHost implements DatapathHost {
  readonly #options: KernelHostOptions
  readonly #mark: string
  readonly #names: NetnsNames
  readonly #news = new News()
  readonly #firewalls = new Firewalls(this.#news)
  readonly #home: LinksReader
  readonly #portSecurity: PortSecurityTable
  readonly #bridgesAmong: ReturnType<typeof bridgesReader>
  readonly #namespaces: HeldNamespaces
  /** Namespaces of our prefix that others made, by inode. */
  readonly #foreign = new Map<string, number>()
  readonly #listeners: NamespaceSockets
  readonly #ports: PortSwitch
  readonly #programs: KeptPrograms
  readonly #drift = new Set<(what: string) => void>()
  readonly #actionsOf: ReturnType<typeof commandActions>
  readonly #stopWatching: () => void
  readonly #hearing: NodeJS.Timeout
  readonly #own = new OwnChanges()
  /** As it was at the last look. */
  #last: Observed | undefined
  #isAdopted = false

  /** @throws Error when this process may not enter namespaces, or /run/netns cannot be made */
  constructor(options: KernelHostOptions) {
    const { netnsPrefixes, firewallPrefixes = [], sysctls, statePath, sockets, onRead = () => undefined } = options
    const { ports = NO_SWITCH } = options
    this.#options = options
    this.#mark = markOf(realpathSync(statePath))
    this.#names = new NetnsNames((name) => netnsPrefixes.some((prefix) => name.startsWith(prefix)))
    this.#home = new LinksReader(this.#news)
    this.#bridgesAmong = bridgesReader(options.bridgePrefix, this.#mark)
    this.#namespaces = new HeldNamespaces({
      mark: this.#mark,
      sysctls,
      hasFirewall: (netns) => firewallPrefixes.some((prefix) => netns.startsWith(prefix)),
      news: this.#news,
      firewalls: this.#firewalls,
      ports,
      onRead,
    })
    this.#portSecurity = new PortSecurityTable({ mark: this.#mark, news: this.#news, warn: options.warn, onRead })
    this.#listeners = sockets
    this.#ports = ports
    this.#programs = new KeptPrograms(statePath, (netns, kind, how) => this.#drifted(`${kind} of ${netns}: ${how}`))
    this.#actionsOf = commandActions({
      mark: this.#mark,
      listeners: this.#listeners,
      programs: this.#programs,
      portSecurity: this.#portSecurity,
      ports,
      linksOf: (netns) => this.#linksOf(netns),
      expire: (netns) => this.#namespaces.get(netns)?.reader.expire(),
      setFirewall: (netns, firewall) => this.#setFirewall(netns, firewall),
      release: (netns) => this.#release(netns),
    })
    this.#listeners.onLost(() => this.#drifted('all sockets were lost'))
    const stopWatchingNames = this.#watchNames()
    const stopWatchingPorts = ports.onDrift((what) => this.#drifted(what))
    this.#stopWatching = () => {
      stopWatchingNames()
      stopWatchingPorts()
    }
    this.#hearing = setInterval(() => this.#hear(), NEWS_MILLISECONDS).unref()
  }

  async observe(): Promise<Observed> {
    const names = this.#names.current()
    for (const gone of this.#heldNames().filter((name) => !names.has(name))) await this.#release(gone)
    await this.#adoptOnce(names)
    const { now, drift } = await this.#look()
    this.#tell(drift)
    return now
  }

  async execute(commands: readonly Command[]): Promise<void> {
    await this.#own.during(commands, () => runActions(commands, this.#actionsOf))
  }

  onDrift(listener: (what: string) => void): () => void {
    this.#drift.add(listener)
    return () => this.#drift.delete(listener)
  }

  /** Resolves when all that was to be taken away is gone, a program that would not end included. */
  settle(): Promise<void> {
    return this.#programs.settle()
  }

  /** Lets go of all that is held. Namespaces stay, and their programs run on for the next run to adopt. */
  close(): void {
    clearInterval(this.#hearing)
    this.#stopWatching()
    this.#listeners.release()
    for (const netns of this.#namespaces.names) this.#namespaces.release(netns)
    this.#home.close()
    this.#portSecurity.close()
    this.#news.close()
    this.#programs.close()
  }

  /** Reads what was announced as changed, and nothing else. Equal namespaces of two looks are the same object.
   *  @returns also what others have changed since the look before */
  async #look(): Promise<{ readonly now: Observed; readonly drift: readonly string[] }> {
    const names = this.#names.current()
    this.#hearNews()
    for (const [name, inode] of names) if (!this.#isForeign(name, inode)) this.#hold(name, inode)
    const [failed, portSecurity] = await Promise.all([this.#namespaces.readRules(), this.#lookAtTable()])
    this.#news.hear()
    const outside = this.#home.links()
    const namespaces = new Map<string, ObservedNamespace>()
    const unreadable = new Map(
      [...failed, ...portSecurity.failed].map(([name, error]) => [name, explained(error)] as const),
    )
    for (const [name, inode] of names) {
      if (this.#isForeign(name, inode) || unreadable.has(name)) continue
      try {
        const observed = this.#observeNamespace(name, inode, outside)
        if (observed !== undefined) namespaces.set(name, observed)
      } catch (error) {
        unreadable.set(name, explained(error))
      }
    }
    const now = {
      bridges: this.#bridgesAmong(outside),
      namespaces,
      dhcpNetworks: this.#programs.networks(),
      portSecurity: portSecurity.seen,
      switchPorts: this.#ports.ours,
      unreadable,
    }
    const ours = this.#own.take()
    const drift = this.#last === undefined ? [] : driftBetween(this.#last, now, ours)
    this.#last = now
    return { now, drift }
  }

  async #lookAtTable(): Promise<TableLook> {
    try {
      return { seen: await this.#portSecurity.observe(), failed: [] }
    } catch (error) {
      return { seen: undefined, failed: [[this.#portSecurity.table, error]] }
    }
  }

  /** @returns whether anything has changed */
  #hearNews(): boolean {
    return [this.#news.hear(), this.#firewalls.hear()].includes(true)
  }

  /** What we do ourselves is announced as well, and is no drift. */
  #hear(): void {
    if (this.#own.isGoing || this.#drift.size === 0 || !this.#hearNews()) return
    // What cannot be looked at now is told by the next pass.
    this.#look().then(
      ({ drift }) => this.#tell(drift),
      () => undefined,
    )
  }

  #tell(drift: readonly string[]): void {
    for (const what of drift) this.#drifted(what)
  }

  /** @returns undefined when somebody else made it, or may be making it */
  #observeNamespace(
    name: string,
    inode: number | undefined,
    outside: ReadonlyMap<number, Link>,
  ): ObservedNamespace | undefined {
    const alive = (netns: string, links: readonly Link[]) => this.#listeners.alive(netns, links)
    const running = (netns: string) => this.#programs.running(netns)
    const held = this.#hold(name, inode)
    if (held === undefined) {
      if (isYoung(netnsPath(name))) return undefined
      const nothing = { sysctls: {}, devices: [], routes: [], firewall: NO_FIREWALL }
      return { name, isOurs: false, isEmptyName: true, ...nothing, listening: alive(name, []), programs: running(name) }
    }
    const observed = this.#namespaces.observe(name, held, outside, { alive, running })
    if (observed === undefined) {
      this.#namespaces.release(name)
      this.#foreign.set(name, held.inode)
    }
    return observed
  }

  /** @returns undefined when there is no namespace behind the name */
  #hold(name: string, inode: number | undefined): Held | undefined {
    const held = this.#namespaces.get(name)
    if (held !== undefined && held.inode === inode) return held
    // Whatever we had there is in another namespace, which had this name before.
    if (held !== undefined) {
      this.#namespaces.release(name)
      this.#listeners.closeAll(name)
      // That one would not be ended is for whoever starts the next there.
      this.#programs.stopAll(name).catch(() => undefined)
    }
    return inode === undefined ? undefined : this.#namespaces.hold(name, inode)
  }

  /** As they are now, since a device that was just made may be listened on. */
  #linksOf(netns: string): readonly Link[] {
    this.#news.hear()
    return this.#hold(netns, netnsInode(netnsPath(netns)))?.reader.state().links ?? []
  }

  async #setFirewall(netns: string, firewall: Firewall): Promise<void> {
    const held = this.#hold(netns, netnsInode(netnsPath(netns)))
    if (held === undefined) throw new HostError(`there is no namespace ${netns}`)
    const { onRead } = this.#options
    const one = held.firewall ?? new NamespaceFirewall(netnsPath(netns), this.#firewalls, () => onRead?.(netns))
    await one.set(firewall)
  }

  #isForeign(name: string, inode: number | undefined): boolean {
    return inode !== undefined && this.#foreign.get(name) === inode
  }

  async #adoptOnce(names: ReadonlyMap<string, number | undefined>): Promise<void> {
    if (this.#isAdopted) return
    const byInode = [...names].flatMap(([name, inode]) => (inode === undefined ? [] : [[inode, name] as const]))
    await this.#programs.adopt(new Map(byInode))
    this.#isAdopted = true
  }

  /** Namespaces that something of ours keeps alive. */
  #heldNames(): readonly string[] {
    return [...new Set([...this.#namespaces.names, ...this.#listeners.namespaces])]
  }

  async #release(netns: string): Promise<void> {
    this.#listeners.closeAll(netns)
    this.#namespaces.release(netns)
    await this.#programs.stopAll(netns)
  }

  /** A namespace deleted by hand stays, with all its devices, as long as a socket of ours is in it. */
  #watchNames(): () => void {
    mkdirSync(NETNS_DIRECTORY, { recursive: true, mode: 0o755 })
    const onName = (name: string) => {
      if (this.#namespaces.get(name) === undefined || existsSync(netnsPath(name))) return
      const drifted = () => this.#drifted(`namespace ${name} was deleted`)
      this.#release(name).then(drifted, drifted)
    }
    return watchNames(NETNS_DIRECTORY, onName, (why) =>
      this.#options.warn(`${why}; a namespace deleted by hand is noticed at the next look only`),
    )
  }

  #drifted(what: string): void {
    for (const listener of this.#drift) listener(what)
  }
}
