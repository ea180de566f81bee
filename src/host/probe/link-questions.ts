import { randomInt } from 'node:crypto'
import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import {
  arpProbe,
  dhcpDiscover,
  type Ends,
  echoReplyOf,
  echoRequest,
  type Offer,
  readArp,
  readIpv4,
  readOffer,
  sourceOf,
} from './frames.ts'
import { hear, openPacketSocket } from './packet-socket.ts'

/** What can be asked on a bridge without an address and without anybody noticing: who has an address, what DHCP offers,
 *  and by which way a guest sends. */

/** Asked again once, since a first packet may be lost while bridges learn. */
const ROUNDS = 2

/** How much longer than the first a second DHCP server may take to be heard. */
const STRANGER_MILLISECONDS = 250

/** The MAC addresses that answer for each IPv4 address: several when it is there twice. */
export async function whoHas(
  bridge: string,
  wanted: readonly IpAddress[],
  milliseconds: number,
): Promise<ReadonlyMap<IpAddress, ReadonlySet<MacAddress>>> {
  const socket = openPacketSocket(bridge)
  try {
    const found = new Map(wanted.map((address) => [address, new Set<MacAddress>()]))
    for (let round = 0; round < ROUNDS; round++) {
      for (const address of wanted) socket.send(arpProbe(socket.mac, address))
      const answers = await hear(socket, milliseconds / ROUNDS, readArp)
      for (const { isReply, sender, mac } of answers) if (isReply) found.get(sender)?.add(mac)
    }
    return found
  } finally {
    socket.close()
  }
}

/** Everything that is offered to a client of this MAC address. Nothing is leased by it. */
export async function offersTo(bridge: string, client: MacAddress, milliseconds: number): Promise<readonly Offer[]> {
  const socket = openPacketSocket(bridge)
  try {
    const offers: Offer[] = []
    for (let round = 0; round < ROUNDS && offers.length === 0; round++) {
      const xid = randomInt(2 ** 32)
      socket.send(dhcpDiscover(socket.mac, client, xid))
      let first = Number.POSITIVE_INFINITY
      const isEnough = (found: readonly Offer[]) => {
        if (found.length > 0) first = Math.min(first, performance.now())
        return performance.now() - first > STRANGER_MILLISECONDS
      }
      offers.push(...(await hear(socket, milliseconds / ROUNDS, (frame) => readOffer(frame, xid), isEnough)))
    }
    return offers
  } finally {
    socket.close()
  }
}

/** Where a guest sends an answer: the MAC address it gave it to, or the address it asked for in vain. */
export interface GuestWay {
  /** It answers what comes from its own range. */
  readonly answers: boolean
  /** It sent what is for the metadata address to this one. */
  readonly sendsTo: MacAddress | undefined
  /** For which it asked while it had something to send. */
  readonly looksFor: IpAddress | undefined
  /** Source addresses it used, all of them while we listened. */
  readonly sources: readonly IpAddress[]
}

export interface WayQuestion {
  /** The guest's device on the bridge, in our namespace. */
  readonly tap: string
  readonly netnsPath: string
  /** The device on the guest's network, in that namespace. */
  readonly device: string
  readonly guest: { readonly mac: MacAddress; readonly address: IpAddress }
  /** An address of that device in the guest's range. */
  readonly near: IpAddress
  /** Whom the guest would ask. */
  readonly metadata: IpAddress
}

/**
 * Finds out by which way a guest reaches the metadata address, without its help: it is pinged from that address, and its
 * device is watched for where the answer goes.
 */
export async function wayOf(question: WayQuestion, milliseconds: number): Promise<GuestWay> {
  const { tap, netnsPath, device, guest, near, metadata } = question
  const sender = openPacketSocket(device, netnsPath)
  const watch = openPacketSocket(tap)
  try {
    const ends = { destination: guest.address, from: sender.mac, to: guest.mac }
    const ids = { near: randomInt(2 ** 16), far: randomInt(2 ** 16) }
    const ping = (to: Omit<Ends, 'source'>, source: IpAddress, id: number) =>
      sender.send(echoRequest({ ...to, source }, id))
    const seen: Seen[] = []
    for (let round = 0; round < ROUNDS; round++) {
      ping(ends, near, ids.near)
      ping(ends, metadata, ids.far)
      const isEnough = (found: readonly Seen[]) =>
        [ids.near, ids.far].every((id) => [...seen, ...found].some((each) => each.reply === id))
      seen.push(...(await hear(watch, milliseconds / ROUNDS, (frame) => readSeen(frame, guest.mac), isEnough)))
      if (isEnough([])) break
    }
    return {
      answers: seen.some(({ reply }) => reply === ids.near),
      sendsTo: seen.find(({ reply }) => reply === ids.far)?.to,
      looksFor: seen.find(({ asks }) => asks !== undefined && asks !== near)?.asks,
      sources: [...new Set(seen.flatMap(({ source }) => source ?? []))],
    }
  } finally {
    sender.close()
    watch.close()
  }
}

interface Seen {
  readonly reply?: number | undefined
  readonly to?: MacAddress
  readonly asks?: IpAddress
  readonly source?: IpAddress
}

function readSeen(frame: Buffer, guest: MacAddress): Seen | undefined {
  if (frame.length < 14 || sourceOf(frame) !== guest) return undefined
  const arp = readArp(frame)
  if (arp !== undefined) return arp.isReply ? { source: arp.sender } : { asks: arp.target, source: arp.sender }
  const packet = readIpv4(frame)
  return packet && { reply: echoReplyOf(packet), to: packet.to, source: packet.source }
}
