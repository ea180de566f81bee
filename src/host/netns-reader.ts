import { closeSync, readFileSync } from 'node:fs'
import { errorCode } from './errors.ts'
import { hasNews, openNetlink } from './netlink.ts'
import { inNamespace } from './netns.ts'
import { type Gateway, type Link, type LinkAddress, readAddresses, readDefaultRoutes, readLinks } from './rtnetlink.ts'

export interface NetnsState {
  readonly links: readonly Link[]
  readonly addresses: readonly LinkAddress[]
  readonly defaultRoutes: readonly Gateway[]
  readonly sysctls: Readonly<Record<string, string>>
}

/** RTNLGRP_LINK, IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR and IPV6_ROUTE (1, 5, 7, 9, 11), a bit each. */
const NEWS_GROUPS = 0x1 | 0x10 | 0x40 | 0x100 | 0x400

/** The kernel announces links, addresses and routes, but not sysctls: those changed by hand are seen this late. */
const SYSCTL_PERIOD_MILLISECONDS = 30_000

/**
 * Reads one namespace, and again only after the kernel announced a change in it: looking at a thousand quiet ones costs
 * a thousand calls of recv(2), not a thousand dumps. Holds a socket there, which keeps the namespace alive until `close`.
 */
export class NetnsReader {
  readonly #path: string
  readonly #sysctls: readonly string[]
  readonly #news: number
  #state: NetnsState | undefined
  #readAt = 0

  /** @throws Error when the namespace cannot be entered */
  constructor(path: string, sysctls: readonly string[]) {
    this.#path = path
    this.#sysctls = sysctls
    this.#news = inNamespace<number>(path, () => openNetlink(NEWS_GROUPS))
  }

  state(): NetnsState {
    const isOld = performance.now() - this.#readAt > SYSCTL_PERIOD_MILLISECONDS
    // Asked in any case: what is announced while we read must be news at the next call.
    if (hasNews(this.#news) || isOld || this.#state === undefined) {
      this.#readAt = performance.now()
      this.#state = inNamespace<NetnsState>(this.#path, () => readState(this.#sysctls))
    }
    return this.#state
  }

  close(): void {
    closeSync(this.#news)
  }
}

function readState(sysctls: readonly string[]): NetnsState {
  const fd = openNetlink()
  try {
    return {
      links: readLinks(fd),
      addresses: readAddresses(fd),
      defaultRoutes: readDefaultRoutes(fd),
      sysctls: Object.fromEntries(sysctls.flatMap((name) => readSysctl(name))),
    }
  } finally {
    closeSync(fd)
  }
}

/** Of the namespace the calling thread is in. @returns nothing when this kernel has no such setting */
function readSysctl(name: string): readonly (readonly [string, string])[] {
  try {
    return [[name, readFileSync(sysctlPath(name), 'utf8').trim()]]
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}

export function sysctlPath(name: string): string {
  return `/proc/sys/${name.replaceAll('.', '/')}`
}
