import { closeSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { errorCode } from './errors.ts'
import { openNetlink } from './netlink.ts'
import { inNamespace } from './netns.ts'
import type { News } from './news.ts'
import { computesChecksums } from './offload.ts'
import {
  dumpLinks,
  type GatewayRoute,
  type Link,
  type LinkAddress,
  linkIndex,
  linkMessage,
  linkOf,
  readAddresses,
  readLinks,
  readRoutes,
} from './rtnetlink.ts'

export interface NetnsState {
  readonly links: readonly Link[]
  readonly addresses: readonly LinkAddress[]
  readonly routes: readonly GatewayRoute[]
  readonly sysctls: Readonly<Record<string, string>>
  /** Indexes of the veth ends that leave checksums to hardware. */
  readonly offloading: ReadonlySet<number>
}

/** RTNLGRP_* of linux/rtnetlink.h, a bit each. */
const GROUPS = {
  link: 1,
  ipv4Address: 5,
  ipv4Route: 7,
  ipv6Address: 9,
  ipv6Route: 11,
  ipv4Setting: 24,
  ipv6Setting: 25,
}
const LINK_NEWS = 1 << (GROUPS.link - 1)
const ALL_NEWS = Object.values(GROUPS).reduce((bits, group) => bits | (1 << (group - 1)), 0)

/**
 * Reads one namespace, and again only after the kernel announced a change in it: looking at a thousand quiet ones costs
 * nothing. Holds a socket there, which keeps the namespace alive until `close`.
 */
export class NetnsReader {
  readonly #path: string
  readonly #sysctls: readonly string[]
  #state: NetnsState | undefined
  #isNews = true
  #sysctlsReadAt = 0
  readonly #onRead: () => void
  readonly close: () => void

  /** @param onRead  called before each reading
   *  @throws Error when the namespace cannot be entered */
  constructor(path: string, sysctls: readonly string[], news: News, onRead: () => void) {
    this.#path = path
    this.#sysctls = sysctls
    this.#onRead = onRead
    const fd = inNamespace<number>(path, () => openNetlink(ALL_NEWS))
    this.close = news.subscribe(fd, () => {
      this.#isNews = true
    })
  }

  /** Whether something was announced since it was last read. */
  get isNews(): boolean {
    return this.#isNews
  }

  /** What has changed without being announced is to be seen at the next call. */
  expire(): void {
    this.#isNews = true
  }

  /** @param isTime  whether sysctls, of which the kernel announces forwarding and little else, are to be read again after so
   *    many milliseconds
   *  @returns the same object as long as nothing is announced and no sysctl changes */
  state(isTime: (age: number) => boolean = () => false): NetnsState {
    const before = this.#state
    const isWhole = before !== undefined && !this.#isNews
    if (isWhole && !isTime(performance.now() - this.#sysctlsReadAt)) return before
    this.#isNews = true
    const state = isWhole ? this.#withSysctls(before) : inNamespace<NetnsState>(this.#path, () => this.#read())
    this.#isNews = false
    this.#state = state
    return state
  }

  #read(): NetnsState {
    this.#onRead()
    this.#sysctlsReadAt = performance.now()
    return readState(this.#sysctls)
  }

  #withSysctls(before: NetnsState): NetnsState {
    this.#sysctlsReadAt = performance.now()
    const sysctls = inNamespace<NetnsState['sysctls']>(this.#path, () => readSysctls(this.#sysctls))
    return isDeepStrictEqual(sysctls, before.sysctls) ? before : { ...before, sysctls }
  }
}

/** One link as the kernel wrote it, and read. */
interface Written {
  readonly bytes: Buffer
  readonly link: Link
}

/** Of so many at once, all are read: a dump costs less for each. */
const FEW_LINKS = 64

/** The links of the namespace this process is in, each read again only after the kernel announced a change of it. There may
 *  be thousands, of which few have changed. */
export class LinksReader {
  #written: ReadonlyMap<number, Written> = new Map()
  #links: ReadonlyMap<number, Link> = new Map()
  /** Indexes of those that were announced; undefined: it may be any. */
  #changed: Set<number> | undefined
  readonly close: () => void

  constructor(news: News) {
    this.close = news.follow(openNetlink(LINK_NEWS), (messages) => {
      if (messages === undefined) this.#changed = undefined
      for (const message of messages ?? []) this.#changed?.add(linkIndex(message))
    })
  }

  /** By index. A link that has not changed is the same object as before, and so is the map when none has. */
  links(): ReadonlyMap<number, Link> {
    const changed = this.#withOtherEnds()
    if (changed?.size === 0) return this.#links
    const written = withNetlink((fd) =>
      changed !== undefined && changed.size <= FEW_LINKS ? this.#readSome(fd, changed) : this.#readAll(fd),
    )
    this.#changed = new Set()
    this.#written = written
    const isSame =
      written.size === this.#links.size && [...written].every(([index, { link }]) => this.#links.get(index) === link)
    if (!isSame) this.#links = new Map([...written].map(([index, { link }]) => [index, link]))
    return this.#links
  }

  /** A veth pair's end that goes elsewhere may get another index there, which its other end tells without announcing it. */
  #withOtherEnds(): ReadonlySet<number> | undefined {
    const changed = this.#changed
    if (changed === undefined || changed.size === 0) return changed
    const ends = [...this.#links.values()].filter(({ peer }) => changed.has(peer)).map(({ index }) => index)
    return new Set([...changed, ...ends])
  }

  #readAll(fd: number): ReadonlyMap<number, Written> {
    return new Map(dumpLinks(fd).map((bytes) => [linkIndex(bytes), this.#read(bytes)]))
  }

  #readSome(fd: number, indexes: ReadonlySet<number>): ReadonlyMap<number, Written> {
    const written = new Map(this.#written)
    for (const index of indexes) {
      const bytes = linkMessage(fd, index)
      if (bytes === undefined) written.delete(index)
      else written.set(index, this.#read(bytes))
    }
    return written
  }

  /** A bridge has timers that run, so that its bytes are never the same. */
  #read(bytes: Buffer): Written {
    const before = this.#written.get(linkIndex(bytes))
    if (before?.bytes.equals(bytes)) return before
    const link = linkOf(bytes)
    return before !== undefined && isSameLink(before.link, link) ? { bytes, link: before.link } : { bytes, link }
  }
}

function isSameLink(a: Link, b: Link): boolean {
  return (Object.keys(b) as (keyof Link)[]).every((key) => a[key] === b[key])
}

/** Of the namespace the calling thread is in. */
export function readState(sysctls: readonly string[]): NetnsState {
  return withNetlink((fd) => {
    const links = readLinks(fd)
    return {
      links,
      addresses: readAddresses(fd),
      routes: readRoutes(fd),
      sysctls: readSysctls(sysctls),
      offloading: new Set(links.filter(isOffloading).map(({ index }) => index)),
    }
  })
}

/** The kernel announces a change of it as one of the link. */
function isOffloading({ kind, name }: Link): boolean {
  try {
    return kind === 'veth' && !computesChecksums(name)
  } catch (error) {
    if (errorCode(error) === 'ENODEV') return false // gone meanwhile
    throw error
  }
}

/** With a socket in the namespace of the calling thread. */
export function withNetlink<T>(read: (fd: number) => T): T {
  const fd = openNetlink()
  try {
    return read(fd)
  } finally {
    closeSync(fd)
  }
}

/** Of the namespace the calling thread is in. Those that this kernel does not have are left out. */
function readSysctls(names: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      try {
        return [[name, readFileSync(sysctlPath(name), 'utf8').trim()]]
      } catch (error) {
        if (errorCode(error) === 'ENOENT') return []
        throw error
      }
    }),
  )
}

export function sysctlPath(name: string): string {
  return `/proc/sys/${name.replaceAll('.', '/')}`
}
