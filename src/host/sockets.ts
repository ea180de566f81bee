import { chmodSync, closeSync, writeFileSync } from 'node:fs'
import type { IpAddress } from '../inventory/records/address.ts'
import { bind, checked, getpeername, getsockname, listen, setsockopt, socket } from './libc.ts'
import { inNamespace } from './netns.ts'
import { deviceIndex } from './rtnetlink.ts'
import {
  AF_INET6,
  AF_UNIX,
  decodePort,
  decodeSocketAddress,
  encodeSocketAddress,
  encodeUnixAddress,
  familyOf,
  LARGEST_ADDRESS,
} from './socket-address.ts'

export interface ListenAddress {
  readonly address: IpAddress
  readonly port: number
  /** The device a link-local address belongs to; null for others. */
  readonly device: string | null
  /** Connections that may wait to be accepted. */
  readonly backlog: number
  /** Beside another process of the same user that allows it, too: each gets some of the connections. */
  readonly isShared?: boolean
}

// Values of socket(2), socket(7), ip(7) and ipv6(7) as on every Linux but MIPS, SPARC and Alpha.
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2_000_000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const SO_REUSEPORT = 15
const IPPROTO_IP = 0
const IP_FREEBIND = 15
const IPPROTO_IPV6 = 41
const IPV6_FREEBIND = 78

interface SocketOption {
  readonly level: number
  readonly name: number
}

/** All are switched on. Free binding lets the address come after the socket, or come back. `IPV6_V6ONLY` is left as the
 *  kernel has it, as haproxy does: sockets of which it differs do not share their connections. One that is open on all of
 *  IPv6 takes IPv4 too, whose peers then show in mapped form. */
const OPTIONS: Readonly<Record<4 | 6, readonly SocketOption[]>> = {
  4: [
    { level: SOL_SOCKET, name: SO_REUSEADDR },
    { level: IPPROTO_IP, name: IP_FREEBIND },
  ],
  6: [
    { level: SOL_SOCKET, name: SO_REUSEADDR },
    { level: IPPROTO_IPV6, name: IPV6_FREEBIND },
  ],
}

/**
 * Opens a listening TCP socket in a namespace, for `server.listen({ fd })`. It stays in that namespace, and keeps it
 * alive, until it is closed.
 * @throws Error with `code` of the call that failed (`EADDRINUSE`: somebody else listens there)
 */
export function openListener(netnsPath: string, where: ListenAddress): number {
  return inNamespace<number>(netnsPath, () => {
    const { address, port, device, backlog, isShared = false } = where
    const family = familyOf(address)
    const named = `${address}${device === null ? '' : `%${device}`} port ${port}`
    const scope = device === null ? 0 : deviceIndex(device)
    if (device !== null && scope === 0) throw new Error(`listening on ${named}: no such device`)
    return streamSocket(family, (fd) => {
      for (const { level, name } of OPTIONS[family === AF_INET6 ? 6 : 4]) switchOn(fd, level, name)
      if (isShared) shareListener(fd)
      const encoded = encodeSocketAddress(address, port, scope)
      checked(bind(fd, encoded, encoded.length), `binding ${named}`)
      checked(listen(fd, backlog), `listening on ${named}`)
    })
  })
}

/** From now on another process of the same user may listen in the same place, if it allows it likewise (haproxy does).
 *  Not from the beginning: a stranger would get some of the guests' requests, and nobody would hear of it. */
export function shareListener(fd: number): void {
  switchOn(fd, SOL_SOCKET, SO_REUSEPORT)
}

/**
 * Connections that wait at a socket that is closed go to another in the same place, instead of being reset. For the
 * namespace of the calling thread, and from then on. A kernel before 5.14 cannot, and the few that wait are reset.
 */
export function keepWaitingConnections(): void {
  try {
    writeFileSync('/proc/sys/net/ipv4/tcp_migrate_req', '1')
  } catch {
    // Nothing depends on it but those few.
  }
}

export interface TcpAddress {
  readonly address: IpAddress
  readonly port: number
  readonly backlog: number
}

/** The same in our own namespace, for what several processes shall share. IPv6's `::` takes IPv4 too, as Node has it. */
export function openTcpListener({ address, port, backlog }: TcpAddress): number {
  return streamSocket(familyOf(address), (fd) => {
    switchOn(fd, SOL_SOCKET, SO_REUSEADDR)
    const encoded = encodeSocketAddress(address, port, 0)
    checked(bind(fd, encoded, encoded.length), `binding ${address} port ${port}`)
    checked(listen(fd, backlog), `listening on ${address} port ${port}`)
  })
}

/** A unix socket, listening. Nobody can connect before it has its mode: that is set between bind and listen.
 *  @param mode  who has the right to write may connect */
export function openUnixListener(path: string, mode: number, backlog: number): number {
  return streamSocket(AF_UNIX, (fd) => {
    const encoded = encodeUnixAddress(path)
    checked(bind(fd, encoded, encoded.length), `binding ${path}`)
    chmodSync(path, mode)
    checked(listen(fd, backlog), `listening on ${path}`)
  })
}

/** The port that the kernel chose for a socket bound to port 0. */
export function boundPort(fd: number): number {
  const bytes = Buffer.alloc(LARGEST_ADDRESS)
  checked(getsockname(fd, bytes, Uint8Array.of(bytes.length, 0, 0, 0)), 'asking for the address of a socket')
  return decodePort(bytes)
}

/** @returns the descriptor, which is closed again when `prepare` fails */
function streamSocket(family: number, prepare: (fd: number) => void): number {
  const fd = checked(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'opening a socket')
  try {
    prepare(fd)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function switchOn(fd: number, level: number, name: number): void {
  checked(setsockopt(fd, level, name, ONE, ONE.length), `setting option ${level}/${name} of a socket`)
}

const ONE = Uint8Array.of(1, 0, 0, 0)

/**
 * The other end of a connection, without a zone. Node's `remoteAddress` throws for a link-local peer whose device is in
 * another namespace, or names a device of ours that happens to have the same index.
 * @returns undefined when the connection is gone
 */
export function peerAddress(fd: number): IpAddress | undefined {
  const bytes = Buffer.alloc(LARGEST_ADDRESS)
  const size = Uint8Array.of(bytes.length, 0, 0, 0)
  return getpeername(fd, bytes, size) === -1 ? undefined : decodeSocketAddress(bytes)
}
