import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { IpAddress } from '../../inventory/records/address.ts'
import { addressOfBytes } from '../socket-address.ts'

/** A socket that waits for guests or clients. */
export interface ListeningSocket {
  readonly protocol: 'tcp' | 'udp'
  readonly address: IpAddress
  readonly port: number
  /** undefined: only root may know. */
  readonly owner: SocketOwner | undefined
}

export interface SocketOwner {
  readonly pid: number
  readonly arguments: readonly string[]
}

export type UnownedSocket = Omit<ListeningSocket, 'owner'> & { readonly inode: string }

/** The tables of the namespace that the calling thread is in, which is why it must be synchronous. */
const TABLES = [
  { file: 'tcp', protocol: 'tcp', state: '0A' },
  { file: 'tcp6', protocol: 'tcp', state: '0A' },
  { file: 'udp', protocol: 'udp', state: '07' },
  { file: 'udp6', protocol: 'udp', state: '07' },
] as const

/** Sockets of the calling thread's namespace that listen on one of these ports. */
export function socketsOn(ports: readonly number[]): readonly UnownedSocket[] {
  return TABLES.flatMap(({ file, protocol, state }) =>
    parseSockets(readTable(file), protocol, state).filter(({ port }) => ports.includes(port)),
  )
}

function readTable(file: string): string {
  try {
    return readFileSync(`/proc/thread-self/net/${file}`, 'ascii')
  } catch {
    return '' // without IPv6 there is none of it
  }
}

/** Reads proc_net(5): addresses are 32-bit words in the machine's order, ports are not. */
export function parseSockets(table: string, protocol: 'tcp' | 'udp', state: string): readonly UnownedSocket[] {
  return table
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local, , found, , , , , , inode] = line.trim().split(/\s+/)
      const [address, port] = local?.split(':') ?? []
      if (found !== state || address === undefined || port === undefined || inode === undefined) return []
      return [{ protocol, address: wordsAddress(address), port: Number.parseInt(port, 16), inode }]
    })
}

function wordsAddress(hex: string): IpAddress {
  const bytes = Buffer.from(hex, 'hex')
  return addressOfBytes(bytes.swap32())
}

/** Who holds which of these sockets, as far as we may see. */
export function socketOwners(inodes: ReadonlySet<string>): ReadonlyMap<string, SocketOwner> {
  const owners = new Map<string, SocketOwner>()
  if (inodes.size === 0) return owners
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    for (const inode of socketsOf(pid))
      if (inodes.has(inode)) owners.set(inode, { pid: Number(pid), arguments: argumentsOf(pid) })
  return owners
}

function socketsOf(pid: string): readonly string[] {
  let descriptors: readonly string[]
  try {
    descriptors = readdirSync(`/proc/${pid}/fd`)
  } catch {
    return [] // somebody else's, or gone meanwhile
  }
  return descriptors.flatMap((fd) => /^socket:\[(\d+)\]$/.exec(target(`/proc/${pid}/fd/${fd}`))?.[1] ?? [])
}

/** Descriptors come and go while one looks: with it not the whole process is missed. */
function target(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}

function argumentsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
  } catch {
    return []
  }
}
