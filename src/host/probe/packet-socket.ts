import { closeSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { MacAddress } from '../../inventory/records/address.ts'
import { bind, checked, recv, send, socket } from '../libc.ts'
import { openNetlink } from '../netlink.ts'
import { inNamespace } from '../netns.ts'
import { type Link, readLinks } from '../rtnetlink.ts'

/** packet(7): whole frames on one device, as tcpdump sees them. */
export interface PacketSocket {
  readonly mac: MacAddress
  send(frame: Buffer): void
  /** Frames that came since the last call, our own among them. */
  take(): readonly Buffer[]
  close(): void
}

const AF_PACKET = 17
const SOCK_RAW_NONBLOCK_CLOEXEC = 0o2_004_003
const ETH_P_ALL_NETWORK_ORDER = 0x0300
const SOCKADDR_LL = { family: 0, protocol: 2, index: 4, size: 20 } as const
const LARGEST_FRAME = 65_536
/** A busy bridge must not hold us up for ever. */
const MOST_FRAMES = 4_096

const received = Buffer.alloc(LARGEST_FRAME)

/**
 * @param netnsPath  where the device is; undefined: in our own namespace
 * @throws Error when there is no such device, or this process may not (CAP_NET_RAW)
 */
export function openPacketSocket(device: string, netnsPath?: string): PacketSocket {
  const { fd, link } = netnsPath === undefined ? openHere(device) : inNamespace(netnsPath, () => openHere(device))
  return {
    mac: link.mac ?? ('00:00:00:00:00:00' as MacAddress),
    send: (frame) => void checked(send(fd, frame, frame.length, 0), `sending on ${device}`),
    take: () => takeAll(fd),
    close: () => closeSync(fd),
  }
}

function openHere(device: string): { readonly fd: number; readonly link: Link } {
  const link = linkCalled(device)
  if (link === undefined) throw new Error(`there is no device ${device}`)
  const fd = checked(socket(AF_PACKET, SOCK_RAW_NONBLOCK_CLOEXEC, ETH_P_ALL_NETWORK_ORDER), 'opening a packet socket')
  const address = Buffer.alloc(SOCKADDR_LL.size)
  address.writeUInt16LE(AF_PACKET, SOCKADDR_LL.family)
  address.writeUInt16LE(ETH_P_ALL_NETWORK_ORDER, SOCKADDR_LL.protocol)
  address.writeInt32LE(link.index, SOCKADDR_LL.index)
  try {
    checked(bind(fd, address, address.length), `binding a packet socket to ${device}`)
    return { fd, link }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function linkCalled(name: string): Link | undefined {
  const netlink = openNetlink()
  try {
    return readLinks(netlink).find((link) => link.name === name)
  } finally {
    closeSync(netlink)
  }
}

const MSG_DONTWAIT = 0x40

function takeAll(fd: number): readonly Buffer[] {
  const frames: Buffer[] = []
  while (frames.length < MOST_FRAMES) {
    const size = recv(fd, received, received.length, MSG_DONTWAIT)
    if (size === -1) break
    frames.push(Buffer.from(received.subarray(0, size)))
  }
  return frames
}

const LOOK_MILLISECONDS = 5

/** What came that `read` makes something of, until the time is up or `isEnough` of it. */
export async function hear<T>(
  socket: Pick<PacketSocket, 'take'>,
  milliseconds: number,
  read: (frame: Buffer) => T | undefined,
  isEnough: (found: readonly T[]) => boolean = () => false,
): Promise<readonly T[]> {
  const end = performance.now() + milliseconds
  const found: T[] = []
  for (;;) {
    // What came while this process had to wait for a processor counts, too.
    const isLast = performance.now() >= end
    for (const frame of socket.take()) {
      const one = read(frame)
      if (one !== undefined) found.push(one)
    }
    if (isLast || isEnough(found)) return found
    await pause(LOOK_MILLISECONDS)
  }
}
