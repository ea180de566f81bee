import type { Offer } from '../host/probe/frames.ts'
import type { LinkAnswers } from '../host/probe/link-questions-ipv6.ts'
import type { Facts, KnownHere } from './facts.ts'
import { knownOf } from './fault.ts'
import { type Ipv6Facts, mainFamily, placesOf, visitsOf } from './ipv6.ts'

export type StepId =
  | 'record'
  | 'path'
  | 'service'
  | 'ovn'
  | 'chassis'
  | 'binding'
  | 'localport'
  | 'veth'
  | 'switch'
  | 'trace'
  | 'plug'
  | 'namespace'
  | 'dhcp'
  | 'listener'
  | 'request'
  | 'agent'
  | 'resolution'
  | 'api'
  | 'database'
  | 'documents'
  | 'vendor-data'
  | 'guest'
  | 'drive'

/** One station of the way from a guest's question to its answer. */
export interface Step<F extends Facts = Facts> {
  readonly id: StepId
  /** Stations that the drawing shows as one. */
  readonly on: Hop
  /** What there is to see when nothing is wrong; unknown: nobody could look, and why;
   *  absent: there is nothing to look at. */
  readonly tell: (facts: F) => KnownHere<string>
}

export type Hop = 'guest' | 'bridge' | 'br-int' | 'OVN' | 'namespace' | 'proxy' | 'agent' | 'API' | 'records'

export const HOPS: readonly Hop[] = ['guest', 'bridge', 'namespace', 'proxy', 'agent', 'API', 'records']

/** In the order in which they are told. */
export const STEPS: readonly Step[] = [
  {
    id: 'record',
    on: 'records',
    tell: ({ records: { server, port, fixedIp, network } }) =>
      said(
        `${server === undefined ? 'no server' : server.name}, port ${port?.id ?? '-'}, ${fixedIp?.ipAddress ?? '-'} on ${network?.name || network?.id || '-'}`,
      ),
  },
  {
    id: 'path',
    on: 'records',
    tell: ({ path, records, ipv6 }) => {
      if (path.kind === 'none') return said(`none (${path.because})`)
      const isIpv6 = mainFamily({ records }) === 6
      const ways = (ipv6?.ways ?? []).map(
        ({ kind, netns, nextHop, because }) =>
          `by ${kind}: fe80::a9fe:a9fe ${nextHop === undefined ? 'on the link' : `by ${nextHop}`}, ${netns} (${because})`,
      )
      const by = path.nextHop === undefined ? '' : ` 169.254.169.254 by ${path.nextHop},`
      return said([...(isIpv6 ? [] : [`by ${path.kind}:${by} ${path.netns} (${path.because})`]), ...ways].join('; '))
    },
  },
  {
    id: 'service',
    on: 'proxy',
    tell: ({ host: { daemons } }) =>
      daemons.length === 0
        ? { unknown: 'no daemon of ours is seen' }
        : said(daemons.map(({ command, pid }) => `${command} ${pid}`).join(', ')),
  },
  {
    id: 'plug',
    on: 'bridge',
    tell: ({ plug }) =>
      about(plug, ({ tap, bridge, heardOn }) => {
        const device = tap?.name ?? heardOn ?? 'nothing of the guest'
        return `${device} on ${bridge?.name ?? 'no bridge'}, MTU ${bridge?.mtu ?? '-'}`
      }),
  },
  {
    id: 'namespace',
    on: 'namespace',
    tell: ({ inside, steps }) =>
      'unknown' in steps
        ? steps
        : about(inside, (found) => {
            const devices = found?.observed.devices.map(({ name, addresses }) => `${name} ${addresses.join(' ')}`) ?? []
            return devices.join('; ') || 'not there'
          }),
  },
  {
    id: 'dhcp',
    on: 'namespace',
    tell: ({ offers, path, records, ipv6 }) => {
      const leases =
        mainFamily({ records }) === 6
          ? { absent: 'the port has no IPv4 address' }
          : path.isDhcpServed
            ? about(offers, (all) => all.map(offered).join('; '))
            : { absent: 'no DHCP for this subnet' }
      return joined([leases, ...(ipv6 === undefined ? [] : [about(ipv6.heard, (heard) => told(ipv6, heard))])])
    },
  },
  {
    id: 'listener',
    on: 'proxy',
    tell: (facts) =>
      joined(
        placesOf(facts).map(({ inside, listensOn }) => {
          if ('unknown' in inside) return inside
          const held = inside.value?.sockets.find(
            ({ address, port }) => address === listensOn?.address && port === listensOn.port,
          )
          return held === undefined
            ? { unknown: inside.value === undefined ? 'there is no namespace to listen in' : 'nobody listens' }
            : said(`${held.address} port ${held.port}, process ${held.owner?.pid ?? 'unknown'}`)
        }),
      ),
  },
  {
    id: 'request',
    on: 'proxy',
    tell: (facts) =>
      joined(
        visitsOf(facts).map(({ visit, by }) =>
          about(visit, (answered) =>
            answered.outcome === 'answered'
              ? `${by}a request on the bridge is answered in ${Math.round(answered.milliseconds)} ms`
              : `${by}${answered.outcome}`,
          ),
        ),
      ),
  },
  {
    id: 'agent',
    on: 'agent',
    tell: ({ agent }) =>
      about(
        agent,
        ({ socket, reply }) => `${socket}: ${reply?.status ?? '-'} in ${Math.round(reply?.milliseconds ?? 0)} ms`,
      ),
  },
  {
    id: 'resolution',
    on: 'agent',
    tell: ({ records: { found, fixedIp } }) =>
      said(`${fixedIp?.ipAddress} is port ${found.map(({ id }) => id).join(', ')}`),
  },
  {
    id: 'api',
    on: 'API',
    tell: ({ api }) =>
      about(
        api,
        ({ where, reply }) => `${where}: ${reply?.status ?? '-'} in ${Math.round(reply?.milliseconds ?? 0)} ms`,
      ),
  },
  { id: 'database', on: 'records', tell: ({ database }) => about(database, ({ path }) => `${path} can be written`) },
  {
    id: 'documents',
    on: 'API',
    tell: ({ documents }) => about(documents, () => 'all can be drawn, and nothing in them breaks a first boot'),
  },
  {
    id: 'vendor-data',
    on: 'API',
    tell: ({ vendorData }) =>
      about(
        vendorData,
        (targets) =>
          targets.map(({ target, milliseconds }) => `${target} ${milliseconds} ms`).join(', ') || 'no targets',
      ),
  },
  {
    id: 'guest',
    on: 'guest',
    tell: ({ claims, records: { fixedIp }, requests, lease, now, ipv6 }) => {
      const answers = ipv6 && knownOf(ipv6.heard)?.guest
      const macs = (fixedIp && knownOf(claims)?.get(fixedIp.ipAddress)) ?? answers
      const there = macs === undefined ? 'unknown whether it runs' : macs.size > 0 ? 'has its address' : 'is silent'
      const ends = knownOf(lease)?.endsAt
      const { last, clients = [] } = knownOf(requests) ?? {}
      const text = [
        there,
        ...(answers?.size ? [`speaks as ${[...answers].join(', ')}`] : []),
        ...(ends === undefined ? [] : [`lease for ${Math.max(0, Math.round((ends - now) / 1_000))} s more`]),
        last === undefined ? 'has not asked yet' : `asked last ${last.at}: ${last.path} ${last.status}`,
        ...clients,
      ].join(', ')
      return macs === undefined ? { unknown: text } : said(text)
    },
  },
  {
    id: 'drive',
    on: 'guest',
    tell: ({ drive }) => about(drive, ({ stale }) => (stale === undefined ? 'none' : 'fresh')),
  },
]

function offered({ server, address, routes }: Offer): string {
  const metadata = routes.get('169.254.169.254/32')
  return `${server} offers ${address}${metadata === undefined ? '' : `, 169.254.169.254 by ${metadata}`}`
}

/** What guests are told by IPv6: they need none of it to ask. */
function told({ isLeased }: Ipv6Facts, { adverts, offers }: LinkAnswers): string {
  const all = [
    ...adverts.map(({ address, prefixes }) => `${address} advertises ${prefixes.join(', ') || 'itself'}`),
    ...(isLeased ? offers : []).map(({ server, address }) => `${server} offers ${address ?? 'nothing'}`),
  ]
  return all.join('; ') || 'no router advertises, and IPv6 needs no lease'
}

/** What is known of several places; unknown where nothing is. */
function joined(all: readonly KnownHere<string>[]): KnownHere<string> {
  const known = all.flatMap((each) => ('value' in each ? [each.value] : []))
  return known.length > 0 || all[0] === undefined ? said(known.join('; ')) : all[0]
}

export function said(text: string): KnownHere<string> {
  return { value: text }
}

export function about<T>(fact: KnownHere<T>, tell: (value: T) => string): KnownHere<string> {
  return 'value' in fact ? said(tell(fact.value)) : fact
}
