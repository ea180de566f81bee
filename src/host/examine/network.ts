import { closeSync, existsSync, readdirSync, statSync } from 'node:fs'
import { MARK } from '../mark.ts'
import { openNetlink } from '../netlink.ts'
import { inNamespace, NETNS_DIRECTORY, netnsInode, netnsPath } from '../netns.ts'
import { type Link, readLinks } from '../rtnetlink.ts'
import { type Known, known } from './known.ts'
import { type ListeningSocket, socketOwners, socketsOn, type UnownedSocket } from './listening.ts'

/** Something that carries the mark of a firstboot. */
export interface Marked {
  readonly name: string
  readonly kind: 'namespace' | 'bridge'
  /** The state directory in the mark; undefined where the mark has no room for it. */
  readonly statePath: string | undefined
}

export interface NetworkFacts {
  /** Names without a namespace behind them, as after a reboot that kept /run. */
  readonly emptyNames: readonly string[]
  readonly marked: Known<readonly Marked[]>
  /** In the host's own namespace. */
  readonly listening: readonly ListeningSocket[]
  /** In each namespace that is marked. */
  readonly listeningInside: Known<ReadonlyMap<string, readonly ListeningSocket[]>>
  /** Every namespace of a name, by inode. */
  readonly namesByInode: ReadonlyMap<number, string>
  readonly ownInode: number
}

/** DHCP, metadata, and the metadata API. */
const PORTS = [67, 80, 8775]

export function networkFacts(): NetworkFacts {
  const names = existsSync(NETNS_DIRECTORY) ? readdirSync(NETNS_DIRECTORY) : []
  const inodes = names.map((name) => [name, known(name, () => netnsInode(netnsPath(name)))] as const)
  const here = socketsOn(PORTS)
  const insides = known('what is in the namespaces', () => names.filter(isThere(inodes)).map(lookInto))
  const marked = 'value' in insides ? insides.value.filter(({ mark }) => mark !== undefined) : []
  const owners = socketOwners(new Set([...here, ...marked.flatMap(({ sockets }) => sockets)].map(({ inode }) => inode)))
  const owned = ({ inode, ...socket }: UnownedSocket): ListeningSocket => ({ ...socket, owner: owners.get(inode) })
  const bridges = known('the links', bridgesHere)
  return {
    emptyNames: inodes.flatMap(([name, inode]) => ('value' in inode && inode.value === undefined ? [name] : [])),
    marked: both(
      'unknown' in insides ? insides : { value: marked.map(({ mark, name }) => markedAs(name, 'namespace', mark)) },
      bridges,
    ),
    listening: here.map(owned),
    listeningInside:
      'unknown' in insides
        ? insides
        : { value: new Map(marked.map(({ name, sockets }) => [name, sockets.map(owned)])) },
    namesByInode: new Map(
      inodes.flatMap(([name, inode]) => ('value' in inode && inode.value !== undefined ? [[inode.value, name]] : [])),
    ),
    ownInode: statSync('/proc/self/ns/net').ino,
  }
}

interface Inside {
  readonly name: string
  /** undefined: nobody of us made it. */
  readonly mark: string | undefined
  readonly sockets: readonly UnownedSocket[]
}

function lookInto(name: string): Inside {
  return inNamespace<Inside>(netnsPath(name), () => {
    const mark = markOfLink(linksHere().find((link) => link.name === 'lo'))
    return { name, mark, sockets: mark === undefined ? [] : socketsOn(PORTS) }
  })
}

function bridgesHere(): readonly Marked[] {
  return linksHere().flatMap((link) => {
    const mark = link.kind === 'bridge' ? markOfLink(link) : undefined
    return mark === undefined ? [] : [markedAs(link.name, 'bridge', mark)]
  })
}

function linksHere(): readonly Link[] {
  const fd = openNetlink()
  try {
    return readLinks(fd)
  } finally {
    closeSync(fd)
  }
}

function markOfLink(link: Link | undefined): string | undefined {
  return link?.alias === MARK || link?.alias.startsWith(`${MARK}:`) ? link.alias : undefined
}

function markedAs(name: string, kind: Marked['kind'], mark = ''): Marked {
  return { name, kind, statePath: statePathOf(mark) }
}

/** The way back from `markOf`. @returns undefined when nobody can tell: of a long path the mark has a digest and the end */
export function statePathOf(mark: string): string | undefined {
  const path = mark.slice(MARK.length + 1)
  try {
    return path.startsWith('/') ? decodeURIComponent(path) : undefined
  } catch {
    return undefined // anybody may write a mark
  }
}

function isThere(inodes: readonly (readonly [string, Known<number | undefined>])[]): (name: string) => boolean {
  const there = new Set(
    inodes.flatMap(([name, inode]) => ('value' in inode && inode.value === undefined ? [] : [name])),
  )
  return (name) => there.has(name)
}

function both<T>(a: Known<readonly T[]>, b: Known<readonly T[]>): Known<readonly T[]> {
  if ('unknown' in a) return a
  return 'unknown' in b ? b : { value: [...a.value, ...b.value] }
}
