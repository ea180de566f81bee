import { closeSync } from 'node:fs'
import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import { FAMILIES, ownTables, type SavedTable } from '../firewall.ts'
import type { ObservedNamespace } from '../host.ts'
import { saveRules } from '../iptables.ts'
import { findPrograms } from '../kept-programs/adopted.ts'
import { markOf } from '../mark.ts'
import { type Firewall, type Listener, listenerKey, NO_FIREWALL } from '../namespace.ts'
import { openNetlink } from '../netlink.ts'
import { inNamespace, netnsInode, netnsPath } from '../netns.ts'
import { type NetnsState, readState } from '../netns-reader.ts'
import { familiesWithTables, foreignTables } from '../nftables.ts'
import { devicesOf, routesOf } from '../observation.ts'
import { NO_SWITCH, type PortSwitch } from '../port-switch.ts'
import { type Link, type Neighbour, readLinks, readNeighbours, readRefusedAddresses } from '../rtnetlink.ts'
import { type ListeningSocket, socketOwners, socketsOn, type UnownedSocket } from './listening.ts'

/** One namespace as somebody sees it who only looks: what the datapath would compare, and what it does not care about. */
export interface NamespaceFacts {
  readonly observed: ObservedNamespace
  /** On the ports that were asked for. */
  readonly sockets: readonly ListeningSocket[]
  /** IPv4 neighbours that were heard. */
  readonly neighbours: readonly { readonly address: IpAddress; readonly mac: MacAddress }[]
  /** Addresses that the kernel refuses since somebody else has them (DAD). */
  readonly refused: readonly { readonly device: string; readonly address: IpAddress }[]
  /** Rules that drop or reject, of others' chains or tables: `filter: -A INPUT -p tcp --dport 80 -j DROP`. */
  readonly foreignRules: readonly string[]
}

export interface NamespaceQuestion {
  readonly name: string
  /** Absolute, without links. */
  readonly statePath: string
  readonly sysctls: readonly string[]
  readonly hasFirewall: boolean
  readonly ports: readonly number[]
  /** Those of them that somebody of ours may hold. */
  readonly listeners: readonly Listener[]
  readonly isOurs: (owner: ListeningSocket['owner']) => boolean
  /** Whose ports ends of veth pairs may be. */
  readonly switchPorts?: Pick<PortSwitch, 'port'>
}

/** @returns undefined when there is no such namespace, or somebody else made it @throws Error when it cannot be looked into */
export async function examineNamespace(question: NamespaceQuestion): Promise<NamespaceFacts | undefined> {
  const { name, statePath, listeners, isOurs, switchPorts = NO_SWITCH } = question
  const path = netnsPath(name)
  if (netnsInode(path) === undefined) return undefined
  const inside = inNamespace<Inside>(path, () => lookInside(question))
  if (inside.state.links.find((link) => link.name === 'lo')?.alias !== markOf(statePath)) return undefined
  const saved = inside.families.size === 0 ? [] : await savedTables(path)
  const owners = socketOwners(new Set(inside.sockets.map(({ inode }) => inode)))
  const sockets = inside.sockets.map(({ inode, ...socket }) => ({ ...socket, owner: owners.get(inode) }))
  const ours = sockets.filter(({ owner, protocol }) => protocol === 'tcp' && isOurs(owner))
  const inode = netnsInode(path)
  const names = new Map(inside.state.links.map((link) => [link.index, link.name]))
  return {
    observed: {
      name,
      isOurs: true,
      isEmptyName: false,
      sysctls: inside.state.sysctls,
      devices: devicesOf(inside.state, linksOutside(), switchPorts),
      routes: routesOf(inside.state),
      firewall: question.hasFirewall ? firewallOf(saved) : NO_FIREWALL,
      listening: new Set(
        listeners
          .filter(({ address, port }) => ours.some((socket) => socket.address === address && socket.port === port))
          .map(listenerKey),
      ),
      programs: findPrograms(statePath).filter(({ netnsInode: where }) => where === inode),
    },
    sockets,
    neighbours: inside.neighbours.map(({ address, mac }) => ({ address, mac })),
    refused: inside.refused.map(({ link, address }) => ({ device: names.get(link) ?? '', address })),
    foreignRules: [...foreignDrops(saved), ...inside.foreignTables.map((table) => `table ${table}`)],
  }
}

interface Inside {
  readonly state: NetnsState
  readonly neighbours: readonly Neighbour[]
  readonly refused: ReturnType<typeof readRefusedAddresses>
  readonly sockets: readonly UnownedSocket[]
  readonly families: ReadonlySet<number>
  readonly foreignTables: readonly string[]
}

function lookInside({ sysctls, ports }: NamespaceQuestion): Inside {
  const fd = openNetlink()
  try {
    return {
      state: readState(sysctls),
      neighbours: readNeighbours(fd),
      refused: readRefusedAddresses(fd),
      sockets: socketsOn(ports),
      families: familiesWithTables(),
      foreignTables: foreignTables(),
    }
  } finally {
    closeSync(fd)
  }
}

interface Saved {
  readonly family: 4 | 6
  readonly tables: readonly SavedTable[]
}

async function savedTables(path: string): Promise<readonly Saved[]> {
  return Promise.all(FAMILIES.map(async (family) => ({ family, tables: await saveRules(path, family) })))
}

function firewallOf(saved: readonly Saved[]): Firewall {
  const tables = (family: 4 | 6) => ownTables(saved.find((each) => each.family === family)?.tables ?? [])
  return { 4: tables(4), 6: tables(6) }
}

/** Whatever is not ours and keeps packets from passing. */
function foreignDrops(saved: readonly Saved[]): readonly string[] {
  return saved.flatMap(({ tables }) =>
    tables.flatMap(({ name, rules }) => {
      const own = new Set(ownTables(tables).flatMap((table) => table.rules))
      return rules
        .filter((rule) => / -j (DROP|REJECT)\b/.test(rule) && !own.has(rule))
        .map((rule) => `${name}: ${rule}`)
    }),
  )
}

/** Of the host's own namespace. */
export function linksOutside(): ReadonlyMap<number, Link> {
  const fd = openNetlink()
  try {
    return new Map(readLinks(fd).map((link) => [link.index, link]))
  } finally {
    closeSync(fd)
  }
}
