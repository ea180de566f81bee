import { METADATA_IPV4, METADATA_IPV6, METADATA_PORT } from '../../../datapath/metadata-address.ts'
import { knownOf } from '../../../explain/fault.ts'
import type { Traced, TracedOffer, TracedQuestion, Traces } from '../../../explain/ovn/facts.ts'
import { attempt } from '../../../host/examine/attempt.ts'
import type { Known } from '../../../host/examine/known.ts'
import { lastLines } from '../../../host/programs.ts'
import { patience } from '../../../host/slowdown.ts'
import {
  type Cidr,
  eui64Address,
  type IpAddress,
  ipVersion,
  type MacAddress,
} from '../../../inventory/records/address.ts'
import type { OvnConnections } from './connect.ts'

/** Who asks, and whom: what ovn-trace is told of the packet. */
export interface TraceQuestion {
  readonly southbound: string
  readonly values: OvnConnections
  /** Uuid of the logical switch in the Southbound. */
  readonly datapath: string
  /** One address at least. */
  readonly guest: { readonly port: string; readonly mac: MacAddress; readonly addresses: readonly IpAddress[] }
  readonly metadata: { readonly port: string; readonly mac: MacAddress }
}

/** It reads all flows of the cloud, which may be many. */
const PATIENCE_MILLISECONDS = 2_200

/** A port that no client is likely to have. */
const CLIENT_PORT = 65_001

const LINK_LOCAL = 'fe80::/64' as Cidr

/** Lets ovn-trace follow the guest's DHCPDISCOVER, its questions to the metadata addresses, and the answers. Nothing is sent.
 *  Over IPv6 a guest asks from the link-local address of its MAC: that is what port security lets through. */
export async function traces(question: TraceQuestion): Promise<Known<Traces>> {
  const { addresses, mac } = question.guest
  const ipv4 = addresses.find((address) => ipVersion(address) === 4)
  const hasIpv6 = addresses.some((address) => ipVersion(address) === 6)
  const linkLocal = eui64Address(LINK_LOCAL, mac)
  const [offer, asked, askedByIpv6] = await Promise.all([
    ipv4 === undefined ? undefined : run(question, discover(question), ['new']),
    ipv4 === undefined ? undefined : questionAndAnswer(question, 'ip4', ipv4, METADATA_IPV4),
    hasIpv6 ? questionAndAnswer(question, 'ip6', linkLocal, METADATA_IPV6) : undefined,
  ])
  const first = asked ?? askedByIpv6
  if (first === undefined) return { unknown: 'the guest has no address to ask from' }
  if ('unknown' in first) return first
  if (offer !== undefined && 'unknown' in offer) return offer
  return {
    value: {
      ...first.value,
      offer: offer === undefined ? { unknown: 'by IPv6 no lease is needed' } : { value: readOffer(offer.value) },
      besides: asked === undefined || askedByIpv6 === undefined ? undefined : knownOf(askedByIpv6),
    },
  }
}

function discover({ guest: { port, mac } }: TraceQuestion): string {
  return `inport=="${port}" && eth.src==${mac} && eth.dst==ff:ff:ff:ff:ff:ff && ip4.src==0.0.0.0 && ip4.dst==255.255.255.255 && ip.ttl==64 && udp.src==68 && udp.dst==67`
}

/** @param own  the guest's address, of that family */
async function questionAndAnswer(
  question: TraceQuestion,
  family: 'ip4' | 'ip6',
  own: IpAddress,
  address: IpAddress,
): Promise<Known<TracedQuestion>> {
  const { guest, metadata } = question
  const [request, answer] = await Promise.all([
    run(
      question,
      `inport=="${guest.port}" && eth.src==${guest.mac} && eth.dst==${metadata.mac} && ${family}.src==${own} && ${family}.dst==${address} && ip.ttl==64 && tcp.src==${CLIENT_PORT} && tcp.dst==${METADATA_PORT}`,
      ['new', 'new'],
    ),
    run(
      question,
      `inport=="${metadata.port}" && eth.src==${metadata.mac} && eth.dst==${guest.mac} && ${family}.src==${address} && ${family}.dst==${own} && ip.ttl==64 && tcp.src==${METADATA_PORT} && tcp.dst==${CLIENT_PORT}`,
      ['est,rpl', 'est,rpl'],
    ),
  ])
  if ('unknown' in request) return request
  if ('unknown' in answer) return answer
  return { value: { address, request: readTrace(request.value), answer: readTrace(answer.value) } }
}

/** @param states  what connection tracking says, each time it is asked */
async function run(
  { southbound, values, datapath }: TraceQuestion,
  packet: string,
  states: readonly string[],
): Promise<Known<string>> {
  const { ovn_sb_private_key: key, ovn_sb_certificate: certificate, ovn_sb_ca_cert: authorities } = values
  const files = [
    ...(key ? [`-p${key}`] : []),
    ...(certificate ? [`-c${certificate}`] : []),
    ...(authorities ? [`-C${authorities}`] : []),
  ]
  const args = [
    `--db=${southbound}`,
    '--no-leader-only',
    '--detailed',
    '--no-friendly-names', // which shorten uuids
    ...files,
    ...states.map((state) => `--ct=${state}`),
    datapath,
    packet,
  ]
  const ended = await attempt('ovn-trace', args, patience(PATIENCE_MILLISECONDS))
  if (ended === undefined) return { unknown: 'ovn-trace is not installed (Debian package ovn-common)' }
  if (ended.exitCode === 0 && ended.stdout.includes('ingress(')) return { value: ended.stdout }
  return { unknown: `ovn-trace: ${lastLines(ended.stderr, 1) || 'it said nothing in time'}` }
}

/** ` 8. ls_in_acl (northd.c:6588): inport=="red-1", priority 2001, uuid 8d754525`; newer ones say `ACL` files otherwise. */
const STAGE = /^ *\d+\. (\w+)(?: \([^)]*\))?: (.*), priority (\d+), uuid \w+$/
const NO_STAGE = /^ *\d+\. (\w+): (.*)$/
const OUTPUT = /\/\* output to "([^"]*)"/
const DROP = /^ +(?:.*; )?drop;/

interface Stage {
  readonly stage: string
  readonly match: string
  readonly priority: number
}

/** Where a packet ends by the detailed output of ovn-trace. Pure. */
export function readTrace(said: string): Traced {
  let last: Stage = { stage: 'no stage', match: 'no match', priority: 0 }
  let evaluated: Stage | undefined
  for (const line of said.split('\n')) {
    const output = OUTPUT.exec(line)?.[1]
    if (output !== undefined) return { outcome: 'output', port: output }
    if (DROP.test(line)) {
      // Since OVN 23.09 one stage decides, and the next one drops.
      return { outcome: 'drop', ...(last.stage.includes('acl_action') ? (evaluated ?? last) : last) }
    }
    const [, stage, match, priority] = STAGE.exec(line) ?? NO_STAGE.exec(line) ?? []
    if (stage === undefined) continue
    last = { stage, match: match ?? '', priority: Number(priority ?? 0) }
    if (stage.includes('acl_eval')) evaluated = last
  }
  return { outcome: 'lost', ...last }
}

/** What DHCP would offer. Pure. @returns undefined when no flow answers */
export function readOffer(said: string): TracedOffer | undefined {
  const options = /put_dhcp_opts\((.*)\);/.exec(said)?.[1]
  const address = options && /\bofferip = ([\d.]+)/.exec(options)?.[1]
  if (options === undefined || address === undefined) return undefined
  const routes =
    /\bclassless_static_route = \{([^}]*)\}/
      .exec(options)?.[1]
      ?.split(',')
      .map((word) => word.trim()) ?? []
  return {
    address,
    routes: new Map(routes.flatMap((word, i) => (i % 2 === 0 ? [[long(word), routes[i + 1] ?? ''] as const] : []))),
    router: /\brouter = ([\d.]+)/.exec(options)?.[1],
  }
}

/** A host route may come without its `/32`. */
function long(destination: string): string {
  return destination.includes('/') ? destination : `${destination}/32`
}
