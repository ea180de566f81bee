import { lstatSync } from 'node:fs'
import type { StateDirectory } from '../../daemons/state-directory.ts'
import { DHCP_PREFIX } from '../../datapath/dhcp/namespace.ts'
import { OVN_PREFIX } from '../../datapath/ovn/namespace.ts'
import { ROUTER_PREFIX } from '../../datapath/router/namespace.ts'
import type { AgentFacts, ApiFacts, Facts, KnownHere, PathFacts, RecordFacts } from '../../explain/facts.ts'
import type { Known } from '../../host/examine/known.ts'
import { VISITOR_AGENT } from '../../host/probe/visitor.ts'
import { patience } from '../../host/slowdown.ts'
import { type Answer, askOnce } from '../../http/question.ts'
import { type IpAddress, ipVersion } from '../../inventory/records/address.ts'
import type { FixedIp, Port } from '../../inventory/records/port.ts'
import type { RunningDaemon } from './daemons.ts'
import { linkLocalOf } from './ipv6-path.ts'

const MILLISECONDS = 1_600
const DOCUMENT = '/openstack/latest/meta_data.json'

/** Asks agent and metadata API as the hops before them would. */
export async function hopFacts(
  state: StateDirectory,
  daemons: readonly RunningDaemon[],
  records: Omit<RecordFacts, 'found'>,
  path: PathFacts,
): Promise<Pick<Facts, 'agent' | 'api'>> {
  const [agent, api] = await Promise.all([agentFacts(state, daemons, records, path), apiFacts(daemons)])
  return { agent, api }
}

/** Daemons that have an agent of their own in them, or the way to it. */
const AT_THE_AGENT = ['metadata-agent', 'ovn-metadata-agent', 'dhcp-agent', 'up', 'lab', 'metadata-proxy']
/** Daemons that are an agent, or whose proxies ask one. */
const WITH_AGENT = ['metadata-agent', 'ovn-metadata-agent', 'dhcp-agent']

function atTheAgent(daemons: readonly RunningDaemon[]): RunningDaemon | undefined {
  return AT_THE_AGENT.flatMap((name) => daemons.filter(({ command }) => command === name))[0]
}

/** The agent's unix socket, as those were told who serve or ask it. */
export function agentSocketOf(state: StateDirectory, daemons: readonly RunningDaemon[]): string {
  const named = atTheAgent(daemons)?.values['metadata_proxy_socket']
  return typeof named === 'string' && named !== '' ? named : state.agentSocket
}

async function agentFacts(
  state: StateDirectory,
  daemons: readonly RunningDaemon[],
  { fixedIp, port }: Omit<RecordFacts, 'found'>,
  path: PathFacts,
): Promise<Known<AgentFacts>> {
  if (atTheAgent(daemons) === undefined) return { unknown: 'no agent or proxy of ours runs here' }
  if (fixedIp === undefined || port === undefined) return { unknown: 'there is no address to ask for' }
  const socket = agentSocketOf(state, daemons)
  const stat = lstatSync(socket, { throwIfNoEntry: false })
  const isHop = daemons.some(
    ({ command, values }) =>
      WITH_AGENT.includes(command) || (command === 'metadata-proxy' && values['answer_from'] === 'agent'),
  )
  const facts = { socket, isHop }
  if (stat === undefined) return { value: { ...facts, state: 'missing', reply: undefined } }
  // Root may connect whatever the mode says; the proxies may not be root.
  if ((stat.mode & 0o200) === 0) return { value: { ...facts, state: 'forbidden', reply: undefined } }
  const answer = await askOnce({
    to: { socketPath: socket },
    path: DOCUMENT,
    headers: {
      ...originOf(path, port.networkId),
      'X-Forwarded-For': askedFrom(fixedIp, port),
      'User-Agent': VISITOR_AGENT,
    },
    milliseconds: patience(MILLISECONDS),
  })
  if (answer.outcome === 'refused')
    return { value: { ...facts, state: answer.code === 'EACCES' ? 'forbidden' : 'dead', reply: undefined } }
  return { value: { ...facts, state: 'connects', reply: replyOf(answer) } }
}

/** By IPv6 guests ask a link-local address, and from one. */
function askedFrom({ ipAddress }: FixedIp, { macAddress }: Port): IpAddress {
  return ipVersion(ipAddress) === 6 ? linkLocalOf(macAddress) : ipAddress
}

function originOf({ netns }: PathFacts, networkId: string): Readonly<Record<string, string>> {
  if (netns?.startsWith(ROUTER_PREFIX)) return { 'X-Neutron-Router-ID': netns.slice(ROUTER_PREFIX.length) }
  const prefix = [DHCP_PREFIX, OVN_PREFIX].find((each) => netns?.startsWith(each)) ?? ''
  return { 'X-Neutron-Network-ID': netns?.slice(prefix.length) ?? networkId }
}

function replyOf(answer: Exclude<Answer, { readonly outcome: 'refused' }>) {
  const { milliseconds } = answer
  if (answer.outcome === 'silent') return { status: undefined, milliseconds, uuid: undefined }
  return { status: answer.status, milliseconds, uuid: /"uuid": "([0-9a-f-]{36})"/.exec(answer.body)?.[1] }
}

/** Who has the documents in it: it asks no API. */
function answersItself({ command, values }: RunningDaemon): boolean {
  return command === 'up' || command === 'lab' || values['answer_from'] === 'inventory'
}

/** The API that an agent of ours asks, by its root, which is open to everybody. */
async function apiFacts(daemons: readonly RunningDaemon[]): Promise<KnownHere<ApiFacts>> {
  const agent = daemons.find(
    ({ command, values }) =>
      command === 'metadata-agent' || (command === 'ovn-metadata-agent' && values['answer_from'] === 'nova'),
  )
  if (agent === undefined) {
    // What answers is a process of its own, and a part of who started it.
    const own = daemons.filter(answersItself)
    const whole = own.find(({ command }) => command !== 'metadata-proxy') ?? own[0]
    return whole === undefined
      ? { unknown: 'no metadata agent of ours runs here, which would say where it is' }
      : { absent: `part of firstboot ${whole.command}` }
  }
  const [host, port] = [String(agent.values['nova_metadata_host']), Number(agent.values['nova_metadata_port'])]
  const answer = await askOnce({
    to: { host, port },
    path: '/',
    headers: { 'User-Agent': VISITOR_AGENT },
    milliseconds: patience(MILLISECONDS),
  })
  const where = `${host} port ${port}`
  if (answer.outcome === 'refused') return { value: { where, reply: undefined, skew: undefined } }
  const date = answer.outcome === 'answered' ? answer.date : undefined
  return { value: { where, reply: replyOf(answer), skew: date === undefined ? undefined : date - Date.now() } }
}
