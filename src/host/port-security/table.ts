import { createHash } from 'node:crypto'
import { type Element, isSetName, keyText, parseElement, readElement, SETS } from './elements.ts'

/** The table of nftables that keeps guests from sending as somebody else: what it says, and what of it is there. Pure. */

/**
 * The table's name. One a state directory, so that two firstboots on a host have each their own, and each guards its own
 * guests only: what one table lets pass the other may still drop.
 */
export function tableName(mark: string): string {
  return `firstboot-${digest(mark)}`
}

/** Makes the table so that nothing passes unguarded meanwhile: nft carries out all of it or nothing. */
export function makeInput(table: string, mark: string, elements: Iterable<Element>): string {
  return `${removeInput(table)}${skeleton(table, mark)}${elementLines(table, 'add', elements)}`
}

/** Deletes go first: ranges of one device may not overlap even within a transaction. */
export function changeInput(table: string, add: Iterable<Element>, remove: Iterable<Element>): string {
  return elementLines(table, 'delete', remove) + elementLines(table, 'add', add)
}

/** To add one that is there is no error, and to delete one that is not is. */
export function removeInput(table: string): string {
  return `add table bridge ${table}\ndelete table bridge ${table}\n`
}

/** One a line: nft repeats the line that it refuses. */
function elementLines(table: string, verb: 'add' | 'delete', elements: Iterable<Element>): string {
  const bySet = Map.groupBy(elements, (each) => parseElement(each).set)
  return [...bySet]
    .map(([set, each]) => `${verb} element bridge ${table} ${set} {\n${each.map(keyText).join(',\n')}\n}\n`)
    .join('')
}

interface Chain {
  /** Where the kernel calls it; undefined: other chains do. */
  readonly hook?: 'prerouting'
  readonly rules: readonly (readonly [about: string, rule: string])[]
}

/**
 * `prerouting` comes before the bridge learns where a MAC address is, so that nobody draws his neighbour's packets to himself.
 * Frames to 01:80:c2:00:00:0x pass it by; our bridges do not learn from them (`link-changes.ts`).
 *
 * What it is of Neutron: the ARP and MAC spoofing protection of its Linux bridge agent, and of its iptables firewall what holds
 * whatever the security groups say. Stricter than it: a DHCP reply is dropped from whatever port it comes, and neighbour
 * advertisements are judged by the address they speak of.
 */
const CHAINS: Readonly<Record<string, Chain>> = {
  prerouting: { hook: 'prerouting', rules: [['a guest', 'iifname @ports jump guest']] },
  guest: {
    rules: [
      ['MAC address of another', 'iifname . ether saddr != @macs counter drop'],
      // Receivers take it for a frame without a tag, and the rules below would not know what is in it.
      ['priority tag', 'ether type 8021q vlan id 0 counter drop'],
      ['priority tag of a provider', 'ether type 8021ad vlan id 0 counter drop'],
      ['by protocol', 'ether type vmap { arp : goto guest_arp, ip : goto guest_ipv4, ip6 : goto guest_ipv6 }'],
    ],
  },
  guest_arp: {
    rules: [
      ['ARP for the MAC address of another', 'iifname . arp saddr ether != @macs counter drop'],
      ['own address', 'iifname . arp saddr ip @ipv4 accept'],
      ['probe for own address', 'arp saddr ip 0.0.0.0 iifname . arp daddr ip @ipv4 accept'],
      ['own range', 'iifname . arp saddr ip @ipv4_ranges accept'],
      ['probe in own range', 'arp saddr ip 0.0.0.0 iifname . arp daddr ip @ipv4_ranges accept'],
      ['ARP for the address of another', 'counter drop'],
    ],
  },
  guest_ipv4: {
    rules: [
      ['DHCP reply', 'udp dport 68 counter drop'],
      ['own address', 'iifname . ip saddr @ipv4 accept'],
      ['DHCP request', 'ip saddr 0.0.0.0 udp dport 67 accept'],
      ['multicast report before there is an address', 'ip saddr 0.0.0.0 ip protocol igmp accept'],
      ['own range', 'iifname . ip saddr @ipv4_ranges accept'],
      ['IPv4 address of another', 'counter drop'],
    ],
  },
  guest_ipv6: {
    rules: [
      ['DHCPv6 reply', 'udp dport 546 counter drop'],
      ['router advertisement', 'icmpv6 type nd-router-advert counter drop'],
      ['advertisement', 'icmpv6 type nd-neighbor-advert goto guest_advertisement'],
      ['own address', 'iifname . ip6 saddr @ipv6 accept'],
      ['detection of a duplicate', 'ip6 saddr :: icmpv6 type nd-neighbor-solicit goto guest_probe'],
      ['before there is an address', 'ip6 saddr :: icmpv6 type { 131, 132, 133, 143 } accept'],
      ['own range', 'iifname . ip6 saddr @ipv6_ranges accept'],
      ['IPv6 address of another', 'counter drop'],
    ],
  },
  guest_advertisement: {
    rules: [
      ['own addresses', 'iifname . ip6 saddr @ipv6 iifname . @th,64,128 @targets accept'],
      ['own address, from own range', 'iifname . ip6 saddr @ipv6_ranges iifname . @th,64,128 @targets accept'],
      ['own range, from own address', 'iifname . ip6 saddr @ipv6 iifname . @th,64,128 @target_ranges accept'],
      ['own ranges', 'iifname . ip6 saddr @ipv6_ranges iifname . @th,64,128 @target_ranges accept'],
      ['advertisement of the address of another', 'counter drop'],
    ],
  },
  guest_probe: {
    rules: [
      ['own address', 'iifname . @th,64,128 @targets accept'],
      ['in own range', 'iifname . @th,64,128 @target_ranges accept'],
      ['claim to the address of another', 'counter drop'],
    ],
  },
}

/** Changes with every word of the rules, so that those of another version of ours are known for what they are. */
const VERSION = digest(JSON.stringify([SETS, CHAINS]))

/** Chains that others name come first. */
function skeleton(table: string, mark: string): string {
  const sets = Object.entries(SETS).map(([name, { type }]) => `  set ${name} { ${type}; }`)
  const chains = Object.entries(CHAINS)
    .reverse()
    .map(([name, chain]) => chainText(name, chain))
  return [
    `table bridge ${table} {`,
    `  comment "${mark.slice(0, COMMENT_CHARACTERS)}"`,
    ...sets,
    ...chains,
    '}\n',
  ].join('\n')
}

/** NFTNL_UDATA_COMMENT_MAXLEN, without the zero byte. */
const COMMENT_CHARACTERS = 127

function chainText(name: string, { hook, rules }: Chain): string {
  return [
    `  chain ${name} {`,
    ...(hook === undefined ? [] : [`    type filter hook ${hook} priority -200; policy accept;`]),
    ...rules.map(([about, rule]) => `    ${rule} comment "${commentOf(about)}"`),
    '  }',
  ].join('\n')
}

/** Rules are known by their comments: how nft prints a rule differs from version to version. */
function commentOf(about: string): string {
  return `${about} (${VERSION})`
}

export interface FoundTable {
  /** What is wrong with it, so that it has to be made anew; undefined: nothing. */
  readonly damage: string | undefined
  readonly elements: ReadonlySet<Element>
}

/** @param printed  what `nft -j list table` printed */
export function readTable(printed: string): FoundTable {
  const nftables = readJson(printed)
  // nft 1.0.6 prints nothing, or what was in memory there, for the flags of a table.
  if (nftables === undefined) return { damage: 'nft cannot print the table', elements: new Set() }
  const sets = nftables.flatMap(({ set }) => (set === undefined ? [] : [set]))
  const read = sets.flatMap(({ name = '', elem = [] }) =>
    isSetName(name) ? elem.map((each) => readElement(name, each)) : [undefined],
  )
  const elements = read.filter((each) => each !== undefined)
  const lines = nftables.flatMap(({ chain, rule }) => [
    ...(chain ? [chainLine(chain)] : []),
    ...(rule ? [ruleLine(rule)] : []),
  ])
  const isOff = nftables.some(({ table }) => table?.flags !== undefined)
  const lacking = Object.keys(SETS).find((name) => !sets.some((set) => set.name === name))
  const damage = isOff
    ? 'the table is switched off'
    : lacking !== undefined
      ? `set ${lacking} is missing`
      : elements.length < read.length
        ? 'the table has elements that are not ours'
        : differenceOf(lines)
  return { damage, elements: new Set(elements) }
}

function readJson(printed: string): readonly Readonly<Record<string, Found>>[] | undefined {
  try {
    return (JSON.parse(printed) as { readonly nftables: readonly Readonly<Record<string, Found>>[] }).nftables
  } catch {
    return undefined
  }
}

/** An object of nftables, as far as it is looked at. */
interface Found {
  readonly name?: string
  readonly flags?: unknown
  readonly hook?: string
  readonly policy?: string
  readonly chain?: string
  readonly comment?: string
  readonly elem?: readonly unknown[]
}

function chainLine({ name, hook, policy }: Found): string {
  return hook === undefined ? `chain ${name}` : `chain ${name} at ${hook}, policy ${policy}`
}

function ruleLine({ chain, comment }: Found): string {
  return `rule of ${chain}: ${comment ?? 'one of others'}`
}

const WANTED: readonly string[] = Object.entries(CHAINS).flatMap(([name, { hook, rules }]) => [
  chainLine({ name, ...(hook && { hook, policy: 'accept' }) }),
  ...rules.map(([about]) => ruleLine({ chain: name, comment: commentOf(about) })),
])

/** The order of chains means nothing, that of the rules in a chain everything. */
function differenceOf(lines: readonly string[]): string | undefined {
  const missing = WANTED.find((line) => !lines.includes(line))
  if (missing !== undefined) return `${missing} is missing`
  const extra = lines.find((line) => !WANTED.includes(line))
  if (extra !== undefined) return `${extra} is too much`
  const rules = (all: readonly string[]) =>
    all
      .filter((line) => line.startsWith('rule'))
      .sort(byChain)
      .join('\n')
  return rules(lines) === rules(WANTED) ? undefined : 'rules stand in another order'
}

/** Stable: rules of one chain stay in their order. */
function byChain(a: string, b: string): number {
  const chain = (line: string) => line.slice(0, line.indexOf(':'))
  return chain(a) < chain(b) ? -1 : chain(a) > chain(b) ? 1 : 0
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}
