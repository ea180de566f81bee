import { closeSync } from 'node:fs'
import type { Family } from './firewall.ts'
import { attributes, dump, NETLINK_NETFILTER, openNetlink } from './netlink.ts'
import { AF_INET, AF_INET6 } from './socket-address.ts'

/** nf_tables as far as netlink tells of it without a program: that something changed, and whether there is anything at all.
 *  Numbers are those of linux/netfilter/nfnetlink.h and nf_tables.h. */

/** NFNLGRP_NFTABLES (7): every change of a table, chain or rule, of both families. */
const NEWS_GROUP = 0x40

/** @returns a socket in the namespace of the calling thread that hears of every change @throws where the kernel has no nf_tables */
export function openRuleNews(): number {
  return openNetlink(NEWS_GROUP, NETLINK_NETFILTER)
}

const NFT_MSG_GETTABLE = (10 << 8) | 1 // NFNL_SUBSYS_NFTABLES
/** struct nfgenmsg: family (0: all), version, resource. */
const GENERIC_BYTES = 4
const FAMILIES_BY_NUMBER: ReadonlyMap<number, Family> = new Map([
  [AF_INET, 4],
  [AF_INET6, 6],
])

/** Families that have a table in the namespace of the calling thread. */
export function familiesWithTables(): ReadonlySet<Family> {
  return new Set(
    tablesHere().flatMap((table) => {
      const family = FAMILIES_BY_NUMBER.get(table.readUInt8(0))
      return family === undefined ? [] : [family]
    }),
  )
}

/** NFPROTO_BRIDGE of linux/netfilter.h. */
const BRIDGE_FAMILY = 7
const NFTA_TABLE_NAME = 1

/** Names of the tables of the family `bridge` in the namespace of the calling thread. */
export function bridgeTables(): ReadonlySet<string> {
  const names = tablesHere()
    .filter((table) => table.readUInt8(0) === BRIDGE_FAMILY)
    .map((table) => attributes(table.subarray(GENERIC_BYTES)).get(NFTA_TABLE_NAME) ?? Buffer.of(0))
  return new Set(names.map((name) => name.toString('latin1', 0, name.length - 1)))
}

function tablesHere(): readonly Buffer[] {
  const fd = openNetlink(0, NETLINK_NETFILTER)
  try {
    return dump(fd, NFT_MSG_GETTABLE, new Uint8Array(GENERIC_BYTES))
  } finally {
    closeSync(fd)
  }
}

/** NFPROTO_*, as nft names them. */
const FAMILY_NAMES: Readonly<Record<number, string>> = {
  1: 'inet',
  2: 'ip',
  3: 'arp',
  5: 'netdev',
  7: 'bridge',
  10: 'ip6',
}
/** The tables that the nf_tables variant of iptables makes. */
const TABLES_OF_IPTABLES: ReadonlySet<string> = new Set(
  ['ip', 'ip6'].flatMap((family) => ['raw', 'mangle', 'nat', 'filter', 'security'].map((name) => `${family} ${name}`)),
)

/** Tables in the namespace of the calling thread that `iptables-save` does not show: `inet firewalld`. None where the kernel
 *  has no nf_tables. */
export function foreignTables(): readonly string[] {
  return tablesHere()
    .map((table) => {
      const name = attributes(table.subarray(GENERIC_BYTES)).get(NFTA_TABLE_NAME)
      return `${FAMILY_NAMES[table.readUInt8(0)] ?? '?'} ${name?.toString('latin1', 0, name.length - 1) ?? ''}`
    })
    .filter((table) => !TABLES_OF_IPTABLES.has(table) && !table.startsWith(GUARD))
}

/** The table of port security: ours, whatever state directory it is of. */
const GUARD = 'bridge firstboot-'
