import { closeSync } from 'node:fs'
import type { IpAddress } from '../inventory/records/address.ts'
import { bind, checked, getpeername, listen, setsockopt, socket } from './libc.ts'
import { inNamespace } from './netns.ts'
import { deviceIndex } from './rtnetlink.ts'
import { AF_INET6, decodeSocketAddress, encodeSocketAddress, familyOf, LARGEST_ADDRESS } from './socket-address.ts'

export interface ListenAddress {
  readonly address: IpAddress
  readonly port: number
  /** The device a link-local address belongs to; null for others. */
  readonly device: string | null
  /** Connections that may wait to be accepted. */
  readonly backlog: number
}

// Values of socket(2), socket(7), ip(7) and ipv6(7) as on every Linux but MIPS, SPARC and Alpha.
const SOCK_STREAM = 1
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2_000_000
const SOL_SOCKET = 1
const SO_REUSEADDR = 2
const IPPROTO_IP = 0
const IP_FREEBIND = 15
const IPPROTO_IPV6 = 41
const IPV6_V6ONLY = 26
const IPV6_FREEBIND = 78

interface SocketOption {
  readonly level: number
  readonly name: number
}

/** All are switched on. Free binding lets the address come after the socket, or come back. */
const OPTIONS: Readonly<Record<4 | 6, readonly SocketOption[]>> = {
  4: [
    { level: SOL_SOCKET, name: SO_REUSEADDR },
    { level: IPPROTO_IP, name: IP_FREEBIND },
  ],
  6: [
    { level: SOL_SOCKET, name: SO_REUSEADDR },
    { level: IPPROTO_IPV6, name: IPV6_V6ONLY },
    { level: IPPROTO_IPV6, name: IPV6_FREEBIND },
  ],
}

/**
 * Opens a listening TCP socket in a namespace, for `server.listen({ fd })`. It stays in that namespace, and keeps it
 * alive, until it is closed.
 * @throws Error with `code` of the call that failed (`EADDRINUSE`: somebody else listens there)
 */
export function openListener(netnsPath: string, { address, port, device, backlog }: ListenAddress): number {
  return inNamespace<number>(netnsPath, () => {
    const family = familyOf(address)
    const where = `${address}${device === null ? '' : `%${device}`} port ${port}`
    const scope = device === null ? 0 : deviceIndex(device)
    if (device !== null && scope === 0) throw new Error(`listening on ${where}: no such device`)
    const fd = checked(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'opening a socket')
    try {
      for (const { level, name } of optionsOf(address, family)) switchOn(fd, level, name)
      const encoded = encodeSocketAddress(address, port, scope)
      checked(bind(fd, encoded, encoded.length), `binding ${where}`)
      checked(listen(fd, backlog), `listening on ${where}`)
      return fd
    } catch (error) {
      closeSync(fd)
      throw error
    }
  })
}

/** One that is open on all of IPv6 takes IPv4 too, whose peers then show in mapped form. */
function optionsOf(address: IpAddress, family: number): readonly SocketOption[] {
  if (family !== AF_INET6) return OPTIONS[4]
  return address === '::' ? OPTIONS[6].filter(({ name }) => name !== IPV6_V6ONLY) : OPTIONS[6]
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
