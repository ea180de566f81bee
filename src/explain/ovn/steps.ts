import type { KnownHere, RequestFacts } from '../facts.ts'
import { knownOf } from '../fault.ts'
import { about, type Hop, STEPS, type Step, type StepId, said } from '../steps.ts'
import type { OvnFacts, SwitchInterface, Traced } from './facts.ts'

export const OVN_HOPS: readonly Hop[] = ['guest', 'br-int', 'OVN', 'namespace', 'proxy', 'agent', 'API', 'records']

/** In the order in which they are told. */
export const OVN_STEPS: readonly Step<OvnFacts>[] = [
  ...shared('record', 'path', 'service'),
  {
    id: 'ovn',
    on: 'OVN',
    tell: ({ ovn: { databases } }) => said(databases.map(({ name, remote }) => `${name} at ${remote}`).join('; ')),
  },
  {
    id: 'chassis',
    on: 'OVN',
    tell: ({ ovn: { local, southbound, programs } }) =>
      'unknown' in southbound
        ? southbound
        : about(local, ({ systemId, bridge }) => {
            const runs = knownOf(programs)?.has('ovn-controller') ? ', ovn-controller runs' : ''
            return `${systemId} is registered${runs}, integration bridge ${bridge}`
          }),
  },
  {
    id: 'binding',
    on: 'OVN',
    tell: ({ ovn: { southbound } }) =>
      about(southbound, ({ binding }) => {
        if (binding === undefined) return 'no such port'
        const { chassis, requested, additional, isUp } = binding
        return [
          `bound to ${chassis.join(', ') || 'no chassis'}`,
          ...(requested === undefined ? [] : [`requested on ${requested}`]),
          ...(additional.length === 0 ? [] : [`also on ${additional.join(', ')}`]),
          ...(isUp === undefined ? [] : [isUp ? 'up' : 'not up']),
        ].join(', ')
      }),
  },
  {
    id: 'localport',
    on: 'OVN',
    tell: ({ ovn: { southbound } }) =>
      about(
        southbound,
        ({ metadataPorts }) =>
          metadataPorts.map(({ logicalPort, mac, cidrs }) => `${logicalPort} ${mac} ${cidrs.join(' ')}`).join('; ') ||
          'none',
      ),
  },
  {
    id: 'switch',
    on: 'br-int',
    tell: ({ ovn: { local } }) =>
      about(local, ({ guest, metadata }) => `guest: ${interfaces(guest)}; metadata port: ${interfaces(metadata)}`),
  },
  ...shared('namespace'),
  {
    id: 'veth',
    on: 'namespace',
    tell: ({ ovn: { veth } }) =>
      about(veth, (pair) =>
        pair === undefined ? 'none is to be here' : `${pair.inner} - ${pair.outer}, MTU ${pair.mtu}`,
      ),
  },
  {
    id: 'dhcp',
    on: 'OVN',
    tell: ({ ovn: { traces } }) =>
      'unknown' in traces
        ? traces
        : about(traces.value.offer, (offer) =>
            offer === undefined
              ? 'nothing is offered'
              : `OVN offers ${offer.address}, 169.254.169.254 by ${offer.routes.get('169.254.169.254/32') ?? 'nobody'}`,
          ),
  },
  {
    id: 'trace',
    on: 'OVN',
    tell: ({ ovn: { traces } }) =>
      about(traces, ({ besides, ...asked }) =>
        [asked, ...(besides === undefined ? [] : [besides])]
          .map(({ address, request, answer }) => `${address}: request ${traced(request)}, answer ${traced(answer)}`)
          .join('; '),
      ),
  },
  ...shared('listener'),
  {
    id: 'request',
    on: 'proxy',
    tell: ({ visit }) =>
      about(visit, (answered) =>
        answered.outcome === 'answered'
          ? `a request in the namespace is answered in ${Math.round(answered.milliseconds)} ms`
          : answered.outcome,
      ),
  },
  ...shared('agent', 'resolution', 'api', 'database', 'documents', 'vendor-data'),
  { id: 'guest', on: 'guest', tell: guest },
  ...shared('drive'),
]

/** Stations that are the same on every way. */
function shared(...ids: readonly StepId[]): readonly Step[] {
  return STEPS.filter(({ id }) => ids.includes(id))
}

function interfaces(found: readonly SwitchInterface[]): string {
  return (
    found.map(({ name, bridge, ofport }) => `${name} on ${bridge ?? 'no bridge'} (${ofport ?? '-'})`).join(', ') ||
    'none'
  )
}

function traced(packet: Traced): string {
  return packet.outcome === 'output' ? `reaches ${packet.port}` : `ends in ${packet.stage}`
}

function guest({ way, requests, ovn: { local } }: OvnFacts): KnownHere<string> {
  const asked = knownOf(requests)
  const answers = knownOf(way)?.answers
  if ('unknown' in local && asked === undefined && answers === undefined) return local
  return said(
    [
      ...('unknown' in local ? [] : [local.value.guest.length > 0 ? 'is plugged in' : 'is not seen on this host']),
      ...(answers === undefined ? [] : [answers ? 'answers pings' : 'answers no ping']),
      ...(asked === undefined ? [] : [lastOf(asked)]),
      ...(asked?.clients ?? []),
    ].join(', '),
  )
}

function lastOf({ last }: RequestFacts): string {
  return last === undefined ? 'has not asked yet' : `asked last ${last.at}: ${last.path} ${last.status}`
}
