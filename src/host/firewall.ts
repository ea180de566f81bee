import { HostError } from './errors.ts'
import type { Firewall, FirewallTable } from './namespace.ts'

/** The text of `iptables-save`, and what of it is ours. Pure. */

export type Family = 4 | 6
export const FAMILIES = [4, 6] as const satisfies readonly Family[]

/** What the names of our chains begin with, which are those of neutron-l3-agent: its tools and its people know them. */
export const CHAIN_PREFIXES: readonly string[] = [
  'neutron-l3-agent-',
  'neutron-filter-top',
  'neutron-postrouting-bottom',
]

/** One table as found, that of others included. */
export interface SavedTable {
  readonly name: string
  readonly chains: readonly string[]
  /** `-A INPUT -j ACCEPT`, in the order in which they stand in their chains. */
  readonly rules: readonly string[]
}

/** In the order in which packets meet them. `security` is nobody's here. */
const TABLES: readonly FirewallTable['name'][] = ['raw', 'mangle', 'nat', 'filter']
/** As `iptables-save` orders them, before all others. */
const BUILT_IN_CHAINS: readonly string[] = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING']

export function parseIptablesSave(text: string): readonly SavedTable[] {
  const tables: { name: string; chains: string[]; rules: string[] }[] = []
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) tables.push({ name: line.slice(1).trim(), chains: [], rules: [] })
    else if (line.startsWith(':')) tables.at(-1)?.chains.push(firstWord(line.slice(1)))
    else if (line.startsWith('-A ')) tables.at(-1)?.rules.push(line.trimEnd())
  }
  return tables
}

/** Our chains with all their rules, and of the built-in ones the rules that jump to ours. */
export function ownTables(saved: readonly SavedTable[]): readonly FirewallTable[] {
  return canonicalTables(
    saved.flatMap((table) => {
      const name = TABLES.find((known) => known === table.name)
      if (name === undefined) return []
      const rules = table.rules.filter((rule) => isOwnChain(chainOf(rule)) || isOwnJump(rule))
      return [{ name, chains: table.chains.filter(isOwnChain), rules }]
    }),
  )
}

/**
 * The one way of writing a firewall in which equal ones are equal: tables in the order in which packets meet them, chains by
 * name, rules by chain. A table with nothing in it is left out.
 */
export function canonicalFirewall(firewall: Firewall): Firewall {
  return { 4: canonicalTables(firewall[4]), 6: canonicalTables(firewall[6]) }
}

function canonicalTables(tables: readonly FirewallTable[]): readonly FirewallTable[] {
  return TABLES.flatMap((name) => {
    const same = tables.filter((table) => table.name === name)
    const rules = same.flatMap((table) => table.rules)
    const chains = [...new Set(same.flatMap((table) => table.chains))].sort()
    const order = [...BUILT_IN_CHAINS, ...chains]
    const ordered = order.flatMap((chain) => rules.filter((rule) => chainOf(rule) === chain))
    return chains.length === 0 && ordered.length === 0 ? [] : [{ name, chains, rules: ordered }]
  })
}

/**
 * What `iptables-restore --noflush` has to read so that our part becomes as wanted: each table in one transaction, and those
 * that are right already not at all.
 * @returns nothing when nothing is to be done
 * @throws HostError of rules that would not be ours
 */
export function restoreInput(saved: readonly SavedTable[], wanted: readonly FirewallTable[]): string {
  const seen = ownTables(saved)
  for (const table of wanted) checkTable(table)
  const goal = canonicalTables(wanted)
  return TABLES.map((name) => {
    const empty = { name, chains: [], rules: [] }
    const from = seen.find((table) => table.name === name) ?? empty
    const to = goal.find((table) => table.name === name) ?? empty
    return isSameTable(from, to) ? '' : tableInput(from, to)
  }).join('')
}

/** To declare a chain empties the one that is there. Rules of built-in chains can only be taken out one by one. */
function tableInput(from: FirewallTable, to: FirewallTable): string {
  const jumps = from.rules.filter((rule) => !isOwnChain(chainOf(rule)))
  return [
    `*${to.name}`,
    ...new Set([...from.chains, ...to.chains].map((chain) => `:${chain} - [0:0]`)),
    ...jumps.map((rule) => rule.replace('-A', '-D')),
    ...to.rules,
    ...from.chains.filter((chain) => !to.chains.includes(chain)).map((chain) => `-X ${chain}`),
    'COMMIT\n',
  ].join('\n')
}

function isSameTable(a: FirewallTable, b: FirewallTable): boolean {
  return isSameList(a.chains, b.chains) && isSameList(a.rules, b.rules)
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, i) => one === b[i])
}

/** What would not be found again would be added anew at each look. */
function checkTable({ name, chains, rules }: FirewallTable): void {
  const foreign = chains.find((chain) => !isOwnChain(chain))
  if (foreign !== undefined)
    throw new HostError(`chain ${foreign} of ${name} begins with none of ${CHAIN_PREFIXES.join(', ')}`)
  const odd = rules.find((rule) => {
    const chain = chainOf(rule)
    const isHeld = chains.includes(chain) || (BUILT_IN_CHAINS.includes(chain) && isOwnJump(rule))
    return !rule.startsWith('-A ') || /[\r\n]/.test(rule) || !isHeld
  })
  if (odd !== undefined) throw new HostError(`\`${odd}\` of ${name} neither is in a chain of ours nor jumps to one`)
}

function isOwnChain(chain: string): boolean {
  return CHAIN_PREFIXES.some((prefix) => chain.startsWith(prefix))
}

function isOwnJump(rule: string): boolean {
  const target = /(?:^| )-[jg] (\S+)/.exec(withoutQuoted(rule))?.[1]
  return BUILT_IN_CHAINS.includes(chainOf(rule)) && target !== undefined && isOwnChain(target)
}

/** A comment may hold anything. */
function withoutQuoted(rule: string): string {
  return rule.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""')
}

function chainOf(rule: string): string {
  return firstWord(rule.slice('-A '.length))
}

function firstWord(text: string): string {
  return text.split(' ', 1)[0] ?? ''
}
