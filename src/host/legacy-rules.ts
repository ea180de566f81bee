import { hash } from 'node:crypto'
import { closeSync, readFileSync } from 'node:fs'
import { errorCode } from './errors.ts'
import { FAMILIES, type Family } from './firewall.ts'
import { checked, getsockopt, socket } from './libc.ts'
import { inNamespace } from './netns.ts'
import { AF_INET, AF_INET6 } from './socket-address.ts'

/** Rules of iptables-legacy as far as the kernel tells of them without a program: which tables there are, and whether what is
 *  in them is still the same. Numbers and structures are those of linux/netfilter_ipv4/ip_tables.h and ip6_tables.h. */

const SOCK_DGRAM_CLOEXEC = 0o2_000_002
const GET_INFO = 64
const GET_ENTRIES = 65
/** struct ipt_getinfo: the name, hooks, then the number of entries and their bytes. */
const INFO = { bytes: 84, size: 80 } as const
/** struct ipt_get_entries: the name, the bytes of the entries, and, where 8 divides the place, the entries. */
const ENTRIES = { size: 32, first: 40 } as const

/** How one family is asked, and struct ipt_entry or ip6t_entry: where the next one is told, and two counters of 8 bytes. */
const ASKED = {
  4: { names: 'ip_tables_names', socket: AF_INET, level: 0, next: 90, counters: 96 },
  6: { names: 'ip6_tables_names', socket: AF_INET6, level: 41, next: 142, counters: 152 },
} as const satisfies Record<Family, object>
const COUNTERS_BYTES = 16

/** Families with tables in the namespace of the calling thread. */
export function familiesWithLegacyTables(): ReadonlySet<Family> {
  return new Set(FAMILIES.filter((family) => tableNames(family).length > 0))
}

/** Those that have been used: to ask for another makes it. None also where the kernel has no such tables yet. */
function tableNames(family: Family): readonly string[] {
  try {
    return readFileSync(`/proc/thread-self/net/${ASKED[family].names}`, 'latin1').split('\n').filter(Boolean)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}

interface Table {
  readonly family: Family
  readonly name: string
  /** Of its entries. */
  readonly bytes: number
  /** Of its entries without their counters; undefined: they were being changed. */
  readonly digest: string | undefined
}

/**
 * Tells whether the rules of one namespace have changed, which the kernel never announces. A look takes some 10 µs a table
 * and starts no program. Holds sockets in the namespace until `close`.
 */
export class LegacyRules {
  readonly #path: string
  readonly #sockets = new Map<Family, number>()
  #tables: readonly Table[] = []

  /** @param path  of the namespace */
  constructor(path: string) {
    this.#path = path
  }

  /** From now on, what is there now is what nothing has changed in. @throws Error of a system call */
  remember(): void {
    this.#tables = inNamespace<readonly Table[]>(this.#path, () =>
      FAMILIES.flatMap((family) => tableNames(family).map((name) => this.#table(family, name))),
    )
  }

  /** Of the tables that were there. */
  get haveChanged(): boolean {
    return this.#tables.some((table) => table.digest === undefined || this.#digest(table) !== table.digest)
  }

  close(): void {
    for (const fd of this.#sockets.values()) closeSync(fd)
    this.#sockets.clear()
  }

  /** To be run in the namespace. */
  #table(family: Family, name: string): Table {
    if (!this.#sockets.has(family)) this.#open(family)
    const info = asked(name, INFO.bytes)
    checked(this.#ask(family, GET_INFO, info), `asking for the table ${name} of iptables-legacy`)
    const bytes = info.readUInt32LE(INFO.size)
    return { family, name, bytes, digest: this.#digest({ family, name, bytes }) }
  }

  /** @returns undefined when there is no such table of so many bytes */
  #digest({ family, name, bytes }: Pick<Table, 'family' | 'name' | 'bytes'>): string | undefined {
    const answer = asked(name, ENTRIES.first + bytes)
    answer.writeUInt32LE(bytes, ENTRIES.size)
    return this.#ask(family, GET_ENTRIES, answer) === -1 ? undefined : hash('sha1', withoutCounters(family, answer))
  }

  /** @returns -1 when it failed */
  #ask(family: Family, what: number, answer: Buffer): number {
    const fd = this.#sockets.get(family)
    if (fd === undefined) return -1
    return getsockopt(fd, ASKED[family].level, what, answer, new Uint8Array(Uint32Array.of(answer.length).buffer))
  }

  /** In the namespace of the calling thread, to which it keeps. */
  #open(family: Family): void {
    this.#sockets.set(family, checked(socket(ASKED[family].socket, SOCK_DGRAM_CLOEXEC, 0), 'opening a socket'))
  }
}

/** Room for an answer, which begins with the name that is asked for. */
function asked(name: string, bytes: number): Buffer {
  const answer = Buffer.alloc(bytes)
  answer.write(name, 'latin1')
  return answer
}

function withoutCounters(family: Family, answer: Buffer): Buffer {
  const { next, counters } = ASKED[family]
  for (let at: number = ENTRIES.first; at < answer.length; at += answer.readUInt16LE(at + next))
    answer.fill(0, at + counters, at + counters + COUNTERS_BYTES)
  return answer
}
