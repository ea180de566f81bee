import { randomInt } from 'node:crypto'
import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import { type Lessee, type Offer6, readOffer6, relayedSolicit } from './dhcpv6-frames.ts'
import {
  type Advert,
  type Asker,
  claimOf,
  everybodyPing,
  neighbourSolicitation,
  pingReplyOf,
  readAdvert,
  readIpv6,
  routerSolicitation,
} from './ipv6-frames.ts'
import { hear, openPacketSocket } from './packet-socket.ts'

/** What is asked on a link by IPv6, all at once. */
export interface LinkQuestion {
  /** A device on the link, in the namespace of this path, and its link-local address. */
  readonly device: string
  readonly netnsPath: string
  readonly address: IpAddress
  /** Who has these? */
  readonly wanted: readonly IpAddress[]
  readonly guest: MacAddress
  /** In whose name DHCPv6 is asked; undefined: it is not. */
  readonly lessee: Lessee | undefined
  /** Those who are to advertise. */
  readonly routers: readonly MacAddress[]
  /** Whether what was heard is all that can be expected. */
  readonly isEnough: (heard: LinkAnswers) => boolean
}

/** What was heard. */
export interface LinkAnswers {
  readonly adverts: readonly Advert[]
  readonly offers: readonly Offer6[]
  /** The MAC addresses that answer for each address. */
  readonly claims: ReadonlyMap<IpAddress, ReadonlySet<MacAddress>>
  /** From which addresses the guest answers. */
  readonly guest: ReadonlySet<IpAddress>
}

/** Asked again once, since a first packet may be lost while bridges learn. */
const ROUNDS = 2
/** What is heard for at least, however soon all was said: who is a stranger may be slower. */
const STRANGER_MILLISECONDS = 250

/** Asks routers, DHCPv6, the guest, and whoever has an address. */
export async function askLink(question: LinkQuestion, milliseconds: number): Promise<LinkAnswers> {
  const { device, netnsPath, address, wanted, guest, lessee, routers } = question
  const socket = openPacketSocket(device, netnsPath)
  const asker: Asker = { mac: socket.mac, address }
  const [xid, id] = [randomInt(2 ** 24), randomInt(2 ** 16)]
  const heard = newAnswers(wanted)
  const started = performance.now()
  try {
    for (let round = 0; round < ROUNDS; round++) {
      // A router takes its time for each answer (up to half a second): it is asked again only where one was silent.
      const isHeard = (router: MacAddress) => heard.adverts.some(({ mac }) => mac === router)
      if (heard.adverts.length === 0 || !routers.every(isHeard)) socket.send(routerSolicitation(asker))
      for (const each of wanted) socket.send(neighbourSolicitation(asker, each))
      socket.send(everybodyPing(asker, guest, id))
      if (lessee !== undefined && heard.offers.length === 0) socket.send(relayedSolicit(asker, lessee, xid))
      const isEnough = () => performance.now() - started > STRANGER_MILLISECONDS && question.isEnough(heard)
      const note = (frame: Buffer) => noteAnswer(heard, frame, { xid, id, guest, own: asker.mac })
      await hear(socket, milliseconds / ROUNDS, note, isEnough)
      if (isEnough()) break
    }
    return heard
  } finally {
    socket.close()
  }
}

interface Heard extends LinkAnswers {
  readonly adverts: Advert[]
  readonly offers: Offer6[]
  readonly claims: ReadonlyMap<IpAddress, Set<MacAddress>>
  readonly guest: Set<IpAddress>
}

function newAnswers(wanted: readonly IpAddress[]): Heard {
  return {
    adverts: [],
    offers: [],
    claims: new Map(wanted.map((address) => [address, new Set<MacAddress>()])),
    guest: new Set(),
  }
}

interface Signs {
  readonly xid: number
  readonly id: number
  readonly guest: MacAddress
  readonly own: MacAddress
}

function noteAnswer(heard: Heard, frame: Buffer, { xid, id, guest, own }: Signs): undefined {
  const packet = readIpv6(frame)
  if (packet === undefined || packet.mac === own) return
  const claimed = claimOf(packet)
  if (claimed !== undefined) heard.claims.get(claimed)?.add(packet.mac)
  if (packet.mac === guest && pingReplyOf(packet) === id) heard.guest.add(packet.source)
  const advert = readAdvert(packet)
  if (advert !== undefined && !heard.adverts.some(({ mac }) => mac === advert.mac)) heard.adverts.push(advert)
  const offer = readOffer6(packet, xid)
  if (offer !== undefined && !heard.offers.some(({ mac }) => mac === offer.mac)) heard.offers.push(offer)
}
