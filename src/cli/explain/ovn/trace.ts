import { METADATA_IPV4, METADATA_PORT } from '../../../datapath/metadata-address.ts'
import type { Traced, TracedOffer, Traces } from '../../../explain/ovn/facts.ts'
import { attempt } from '../../../host/examine/attempt.ts'
import type { Known } from '../../../host/examine/known.ts'
import { lastLines } from '../../../host/programs.ts'
import type { IpAddress, MacAddress } from '../../../inventory/records/address.ts'
import type { OvnConnections } from './connect.ts'

/** Who asks, and whom: what ovn-trace is told of the packet. */
export interface TraceQuestion {
  readonly southbound: string
  readonly values: OvnConnections
  /** Uuid of the logical switch in the Southbound. */
  readonly datapath: string
  readonly guest: { readonly port: string; readonly mac: MacAddress; readonly address: IpAddress }
  readonly metadata: { readonly port: string; readonly mac: MacAddress }
}

/** It reads all flows of the cloud, which may be many. */
const PATIENCE_MILLISECONDS = 2_200

/** A port that no client is likely to have. */
const CLIENT_PORT = 65_001

/** Lets ovn-trace follow the guest's DHCPDISCOVER, its question to the metadata address, and the answer. Nothing is sent. */
export async function traces(question: TraceQuestion): Promise<Known<Traces>> {
  const { guest, metadata } = question
  const out = `inport=="${guest.port}" && eth.src==${guest.mac}`
  const told = await Promise.all([
    run(
      question,
      `${out} && eth.dst==ff:ff:ff:ff:ff:ff && ip4.src==0.0.0.0 && ip4.dst==255.255.255.255 && ip.ttl==64 && udp.src==68 && udp.dst==67`,
      ['new'],
    ),
    run(
      question,
      `${out} && eth.dst==${metadata.mac} && ip4.src==${guest.address} && ip4.dst==${METADATA_IPV4} && ip.ttl==64 && tcp.src==${CLIENT_PORT} && tcp.dst==${METADATA_PORT}`,
      ['new', 'new'],
    ),
    run(
      question,
      `inport=="${metadata.port}" && eth.src==${metadata.mac} && eth.dst==${guest.mac} && ip4.src==${METADATA_IPV4} && ip4.dst==${guest.address} && ip.ttl==64 && tcp.src==${METADATA_PORT} && tcp.dst==${CLIENT_PORT}`,
      ['est,rpl', 'est,rpl'],
    ),
  ])
  const failed = told.find((each) => 'unknown' in each)
  if (failed !== undefined && 'unknown' in failed) return failed
  const [offer = '', request = '', answer = ''] = told.map((each) => ('value' in each ? each.value : ''))
  return { value: { offer: readOffer(offer), request: readTrace(request), answer: readTrace(answer) } }
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
  const ended = await attempt('ovn-trace', args, PATIENCE_MILLISECONDS)
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
