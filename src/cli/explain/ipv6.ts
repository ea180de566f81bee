import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { METADATA_IPV6, METADATA_PORT } from '../../datapath/metadata-address.ts'
import type { Ipv6Facts } from '../../explain/ipv6.ts'
import type { Known } from '../../host/examine/known.ts'
import type { NamespaceFacts } from '../../host/examine/namespace.ts'
import type { Identity } from '../../host/probe/dhcpv6-frames.ts'
import { askLink, type LinkAnswers } from '../../host/probe/link-questions-ipv6.ts'
import { openVisitor, VISITOR_DEVICE, type Visitor } from '../../host/probe/visitor.ts'
import { patience } from '../../host/slowdown.ts'
import { type Cidr, type IpAddress, type MacAddress, networkAddress } from '../../inventory/records/address.ts'
import type { FixedIp, Port } from '../../inventory/records/port.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import { attempted } from './attempted.ts'
import { linkLocalOf, type PlannedIpv6Way } from './ipv6-path.ts'

/** What is asked for a guest with an IPv6 address. */
export interface Ipv6Question {
  readonly port: Port
  readonly fixedIp: FixedIp
  readonly subnet: Subnet
  readonly ways: readonly PlannedIpv6Way[]
  readonly own: readonly MacAddress[]
  readonly advertisers: readonly MacAddress[]
  readonly isLeased: boolean
  /** The file of dnsmasq. */
  readonly leases: string
}

export interface Ipv6Asking extends Ipv6Question {
  /** undefined: there is none. */
  readonly bridge: string | undefined
  /** A device of the guest is on it, from which an answer may come. */
  readonly isPlugged: boolean
  readonly mtu: number
  /** Namespaces that were looked into. */
  readonly seen: ReadonlyMap<string, Known<NamespaceFacts | undefined>>
}

const MILLISECONDS = { link: 1_500, visit: 1_500 } as const
const NO_BRIDGE = { unknown: 'there is no bridge to ask on' }

/** Asks on the guest's network by IPv6. Changes nothing that stays. */
export async function ipv6Facts(asking: Ipv6Asking): Promise<Ipv6Facts> {
  const { port, fixedIp, subnet, ways, own, advertisers, isLeased, bridge, seen } = asking
  const [heard, ...visits] = await Promise.all([
    bridge === undefined ? NO_BRIDGE : attempted('IPv6', () => heardBy(asking, bridge)),
    ...ways.map((way) => (bridge === undefined ? NO_BRIDGE : visited(asking, bridge, way))),
  ])
  return {
    fixedIp,
    subnet,
    linkLocal: linkLocalOf(port.macAddress),
    ways: ways.map((way, i) => ({
      ...way,
      inside: seen.get(way.netns) ?? { value: undefined },
      visit: visits[i] ?? NO_BRIDGE,
    })),
    own: new Set(own),
    advertisers: new Set(advertisers),
    isLeased,
    heard,
  }
}

/** A link-local address that nobody can have: no device makes it of its MAC address. */
function passingAddress(): IpAddress {
  const [a, b, c, d] = [randomBytes(2), randomBytes(2), randomBytes(2), randomBytes(2)].map((bytes) =>
    (bytes.readUInt16BE(0) | 1).toString(16),
  )
  return `fe80::${a}:${b}:${c}:${d}` as IpAddress
}

async function withVisitor<T>(
  { mtu }: Ipv6Asking,
  bridge: string,
  nextHop: IpAddress | undefined,
  use: (visitor: Visitor, address: IpAddress) => Promise<T>,
): Promise<T> {
  const address = passingAddress()
  const metadata = nextHop === undefined ? undefined : { destination: `${METADATA_IPV6}/128` as Cidr, gateway: nextHop }
  const visitor = openVisitor({ bridge, mtu, address: `${address}/64` as Cidr, metadata })
  try {
    return await use(visitor, address)
  } finally {
    visitor.close()
  }
}

function visited(asking: Ipv6Asking, bridge: string, { nextHop }: PlannedIpv6Way) {
  return attempted('a request on the bridge', () =>
    withVisitor(asking, bridge, nextHop, (visitor) =>
      visitor.ask(METADATA_IPV6, METADATA_PORT, '/openstack', patience(MILLISECONDS.visit)),
    ),
  )
}

function heardBy(asking: Ipv6Asking, bridge: string): Promise<LinkAnswers> {
  const { port, fixedIp, subnet, advertisers, isLeased, leases, isPlugged } = asking
  const guest = port.macAddress
  const linkLocal = linkLocalOf(guest)
  const hasAddress = isLeased || advertisers.length > 0
  const isEnough = ({ adverts, offers, claims, guest: answered }: LinkAnswers) =>
    (!isPlugged || (answered.size > 0 && (!hasAddress || claims.get(fixedIp.ipAddress)?.size !== 0))) &&
    advertisers.every((mac) => adverts.some((advert) => advert.mac === mac)) &&
    (!isLeased || offers.length > 0)
  return withVisitor(asking, bridge, undefined, ({ path }, address) =>
    askLink(
      {
        device: VISITOR_DEVICE,
        netnsPath: path,
        address,
        wanted: [fixedIp.ipAddress, linkLocal, METADATA_IPV6],
        guest,
        routers: advertisers,
        lessee: isLeased
          ? { mac: guest, linkLocal, link: networkAddress(subnet.cidr), identity: leasedTo(leases, fixedIp.ipAddress) }
          : undefined,
        isEnough,
      },
      patience(MILLISECONDS.link),
    ),
  )
}

/** To whom the address is leased now: `expiry iaid address name duid` a line. */
function leasedTo(leases: string, address: IpAddress): Identity | undefined {
  if (!existsSync(leases)) return undefined
  const lines = readFileSync(leases, 'utf8').split('\n')
  const [, iaid = '', , , duid = ''] =
    lines.map((line) => line.split(' ')).find(([, , leased]) => leased === address) ?? []
  if (!/^\d+$/.test(iaid) || !duid.includes(':')) return undefined
  return { duid: Buffer.from(duid.replaceAll(':', ''), 'hex'), iaid: Number(iaid) }
}
