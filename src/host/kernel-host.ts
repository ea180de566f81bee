import { existsSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { runActions } from './actions.ts'
import { commandActions } from './command-actions.ts'
import { DnsmasqProcesses } from './dnsmasq.ts'
import type { Command, DatapathHost, Observed, ObservedNamespace } from './host.ts'
import type { NamespaceSockets } from './listeners.ts'
import { markOf, netnsOwner } from './mark.ts'
import { NETNS_DIRECTORY, netnsInode, netnsPath } from './netns.ts'
import { NetnsReader } from './netns-reader.ts'
import { bridgesOf, defaultRoutesOf, devicesOf } from './observation.ts'
import type { Link } from './rtnetlink.ts'
import { watchNames } from './watch.ts'

export interface KernelHostOptions {
  /** What our namespaces' names begin with (`qdhcp-`). What others made under such a name is left alone. */
  readonly netnsPrefixes: readonly string[]
  /** `brq` */
  readonly bridgePrefix: string
  /** Directories of the networks' dnsmasq lie in `<statePath>/dhcp`. Absolute, and there: what we make is marked with it. */
  readonly statePath: string
  /** Those of namespaces that are looked at. */
  readonly sysctls: readonly string[]
  readonly sockets: NamespaceSockets
  /** Told what works less well than it should here. */
  readonly warn: (what: string) => void
}

/** A name without a namespace may be one that somebody is just making. */
const YOUNG_MILLISECONDS = 10_000

interface Known {
  readonly inode: number
  readonly reader: NetnsReader
}

/** The datapath on the kernel of this machine, in the namespace this process is in. */
export class KernelHost implements DatapathHost {
  readonly #options: KernelHostOptions
  readonly #mark: string
  readonly #known = new Map<string, Known>()
  /** Namespaces of our prefix that others made, by inode. */
  readonly #foreign = new Map<string, number>()
  readonly #home: NetnsReader
  readonly #listeners: NamespaceSockets
  readonly #dnsmasq: DnsmasqProcesses
  readonly #drift = new Set<(what: string) => void>()
  readonly #actionsOf: ReturnType<typeof commandActions>
  readonly #stopWatching: () => void
  #isAdopted = false

  /** @throws Error when this process may not enter namespaces, or /run/netns cannot be made */
  constructor(options: KernelHostOptions) {
    this.#options = options
    this.#mark = markOf(realpathSync(options.statePath))
    this.#home = new NetnsReader('/proc/self/ns/net', [])
    this.#listeners = options.sockets
    this.#dnsmasq = new DnsmasqProcesses(`${options.statePath}/dhcp`, (netns) =>
      this.#drifted(`dnsmasq of ${netns} ended`),
    )
    this.#actionsOf = commandActions({
      mark: this.#mark,
      listeners: this.#listeners,
      dnsmasq: this.#dnsmasq,
      linksOf: (netns) => this.#know(netns)?.reader.state().links ?? [],
      release: (netns) => this.#release(netns),
    })
    this.#listeners.onLost(() => this.#drifted('all sockets were lost'))
    this.#stopWatching = this.#watchNames()
  }

  async observe(): Promise<Observed> {
    const names = readdirSync(NETNS_DIRECTORY).filter((name) => this.#isOurs(name))
    for (const gone of this.#held().filter((name) => !names.includes(name))) await this.#release(gone)
    await this.#adoptOnce(names)
    const { links } = this.#home.state()
    const outside = new Map(links.map((link) => [link.index, link]))
    const namespaces = new Map<string, ObservedNamespace>()
    const unreadable = new Map<string, Error>()
    for (const name of names) {
      if (this.#isKnownForeign(name)) continue
      try {
        const observed = this.#observeNamespace(name, outside)
        if (observed !== undefined) namespaces.set(name, observed)
      } catch (error) {
        unreadable.set(name, error instanceof Error ? error : new Error(String(error)))
      }
    }
    return {
      bridges: bridgesOf(links, this.#options.bridgePrefix, this.#mark),
      namespaces,
      dhcpNetworks: this.#dnsmasq.networks(),
      unreadable,
    }
  }

  async execute(commands: readonly Command[]): Promise<void> {
    await runActions(commands, this.#actionsOf)
  }

  onDrift(listener: (what: string) => void): () => void {
    this.#drift.add(listener)
    return () => this.#drift.delete(listener)
  }

  /** Resolves when all that was to be taken away is gone, a program that would not end included. */
  settle(): Promise<void> {
    return this.#dnsmasq.settle()
  }

  /** Lets go of all that is held. Namespaces stay, and their dnsmasq runs on for the next run to adopt. */
  close(): void {
    this.#stopWatching()
    this.#listeners.release()
    for (const { reader } of this.#known.values()) reader.close()
    this.#known.clear()
    this.#home.close()
  }

  /** @returns undefined when somebody else made it, or may be making it */
  #observeNamespace(name: string, outside: ReadonlyMap<number, Link>): ObservedNamespace | undefined {
    const known = this.#know(name)
    const state = known?.reader.state()
    const owner = state === undefined ? 'nobody' : netnsOwner(state.links, this.#mark)
    if (known !== undefined && owner === 'others') {
      known.reader.close()
      this.#known.delete(name)
      this.#foreign.set(name, known.inode)
      return undefined
    }
    if (known === undefined && isYoung(netnsPath(name))) return undefined
    return {
      name,
      isOurs: owner === 'us',
      isEmptyName: state === undefined,
      sysctls: state?.sysctls ?? {},
      devices: state === undefined ? [] : devicesOf(state, outside),
      defaultRoutes: state === undefined ? [] : defaultRoutesOf(state),
      listening: this.#listeners.alive(name, state?.links ?? []),
      dnsmasq: this.#dnsmasq.running(name),
    }
  }

  /** @returns undefined when there is no namespace behind the name */
  #know(name: string): Known | undefined {
    const inode = netnsInode(netnsPath(name))
    const known = this.#known.get(name)
    if (known !== undefined && known.inode === inode) return known
    known?.reader.close()
    this.#known.delete(name)
    // Whatever we had there is in another namespace, which had this name before.
    if (known !== undefined) {
      this.#listeners.closeAll(name)
      // That it would not be ended is for whoever starts the next one there.
      this.#dnsmasq.stop(name).catch(() => undefined)
    }
    if (inode === undefined) return undefined
    const fresh = { inode, reader: new NetnsReader(netnsPath(name), this.#options.sysctls) }
    this.#known.set(name, fresh)
    return fresh
  }

  #isKnownForeign(name: string): boolean {
    const inode = this.#foreign.get(name)
    if (inode === undefined) return false
    if (netnsInode(netnsPath(name)) === inode) return true
    this.#foreign.delete(name)
    return false
  }

  async #adoptOnce(names: readonly string[]): Promise<void> {
    if (this.#isAdopted) return
    const inodes = names.map((name) => [netnsInode(netnsPath(name)), name] as const)
    await this.#dnsmasq.adopt(new Map(inodes.flatMap(([inode, name]) => (inode === undefined ? [] : [[inode, name]]))))
    this.#isAdopted = true
  }

  #isOurs(name: string): boolean {
    return this.#options.netnsPrefixes.some((prefix) => name.startsWith(prefix))
  }

  /** Namespaces that something of ours keeps alive. */
  #held(): readonly string[] {
    return [...new Set([...this.#known.keys(), ...this.#listeners.namespaces])]
  }

  async #release(netns: string): Promise<void> {
    this.#listeners.closeAll(netns)
    this.#known.get(netns)?.reader.close()
    this.#known.delete(netns)
    await this.#dnsmasq.stop(netns)
  }

  /** A namespace deleted by hand stays, with all its devices, as long as a socket of ours is in it. */
  #watchNames(): () => void {
    mkdirSync(NETNS_DIRECTORY, { recursive: true, mode: 0o755 })
    const onName = (name: string) => {
      if (!this.#known.has(name) || existsSync(netnsPath(name))) return
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

function isYoung(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat !== undefined && Date.now() - stat.mtimeMs < YOUNG_MILLISECONDS
}
