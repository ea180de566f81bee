import { isOurs } from '../facts.ts'
import { type Fault, knownOf, type Spot } from '../fault.ts'
import { placesOf, visitsOf } from '../ipv6.ts'
import { stepFault } from './step-fault.ts'

/** Who listens there, and whether a request arrives. */
export const proxyFaults: readonly Fault[] = [
  {
    id: 'foreign-listener',
    step: 'listener',
    severity: 'broken',
    symptom: 'the guest reads somebody else’s pages, or nothing',
    cause: 'another program listens on the metadata address: our own socket cannot be opened',
    recognised: 'a process that is none of ours has the port in the namespace',
    expected: 'in the namespace nobody but us listens there',
    mend: 'end that process',
    judge: (facts) =>
      placesOf(facts).flatMap(({ inside, listensOn, severity }) =>
        (knownOf(inside)?.sockets ?? [])
          .filter(({ protocol, port, owner }) => protocol === 'tcp' && port === listensOn?.port && !isOurs(owner))
          .map(({ address, port, owner }) => ({
            severity,
            observed: `process ${owner?.pid ?? '?'} (${owner?.arguments.slice(0, 3).join(' ').slice(0, 80) ?? 'unknown'}) listens on ${address} port ${port}`,
            ...(owner === undefined ? {} : { mend: `kill ${owner.pid}` }),
          })),
      ),
  },
  stepFault(['listener-open'], {
    id: 'nobody-listens',
    step: 'listener',
    symptom: 'connections to 169.254.169.254 are refused',
    cause: 'the proxy’s socket is not open: the socket keeper ended, or cannot open it',
    recognised: 'nobody has the port in the namespace',
    expected: 'the metadata proxy listens in the namespace',
  }),
  stepFault(
    ['program-start'],
    {
      id: 'haproxy-dead',
      step: 'listener',
      symptom: 'connections to 169.254.169.254 are refused',
      cause: 'the haproxy of the namespace has ended and cannot be started',
      recognised: 'the datapath would start it',
      expected: 'haproxy runs in the namespace',
    },
    ({ command }) => 'program' in command && isKind(command.program, 'haproxy'),
  ),
  {
    id: 'proxy-missing',
    step: 'service',
    severity: 'broken',
    symptom: 'connections hang and are never answered',
    cause: 'nobody takes what waits on the sockets: the process that answers has ended and cannot be started',
    recognised: 'the datapath’s daemon runs, and no firstboot metadata-proxy does',
    expected: 'firstboot metadata-proxy runs',
    mend: 'look at the log of firstboot up for why it cannot be started',
    judge: ({ host: { daemons } }) => {
      const runs = (command: string) => daemons.some((each) => each.command === command)
      return (runs('up') || runs('ovn-metadata-agent')) && !runs('metadata-proxy')
        ? 'no metadata-proxy runs'
        : undefined
    },
  },
  {
    id: 'proxy-stuck',
    step: 'request',
    severity: 'broken',
    symptom: 'connections to 169.254.169.254 are accepted and never answered',
    cause: 'the process that answers guests is stopped, or hangs',
    recognised: 'a request on the bridge is accepted and not answered, and no other hop is between proxy and documents',
    expected: 'firstboot metadata-proxy answers',
    mend: 'kill -CONT it if it was stopped; otherwise kill it: another one is started, and no guest is refused',
    judge: ({ visit, agent, host: { daemons } }) => {
      // The same process listens for others on the agent’s socket.
      const { isHop, reply } = knownOf(agent) ?? {}
      if (knownOf(visit)?.outcome !== 'silent' || isHop !== false || reply?.status !== undefined) return undefined
      const pids = daemons.filter(({ command }) => command === 'metadata-proxy').map(({ pid }) => pid)
      return `process ${pids.join(', ') || '?'} accepts connections and says nothing`
    },
  },
  {
    id: 'packets-dropped',
    step: 'request',
    severity: 'broken',
    symptom: '169.254.169.254 times out',
    cause: 'rules of somebody else drop what guests ask: a security rule, a firewall of the host, an nft table',
    recognised: 'a request on the bridge is lost, and there are rules that drop, or tables that are not ours',
    expected: 'nobody drops packets between the guest and the proxy',
    mend: 'take the rule away (nft list ruleset, iptables-save; in the namespace: ip netns exec NETNS ...)',
    judge: (facts) =>
      visitsOf(facts).flatMap(({ visit, netns, inside, severity }): readonly Spot[] => {
        const answered = knownOf(visit)
        if (answered === undefined || answered.outcome === 'answered' || answered.outcome === 'silent') return []
        const suspects = [
          ...(knownOf(inside)?.foreignRules ?? []).map((rule) => `${netns}: ${rule}`),
          ...(knownOf(facts.plug)?.bridgeTables ?? []).map((table) => `host: table ${table}`),
        ]
        if (suspects.length === 0) return []
        return [{ observed: `the request is lost; ${suspects.slice(0, 3).join('; ')}`, severity }]
      }),
  },
  {
    id: 'request-fails',
    step: 'request',
    severity: 'broken',
    isSymptom: true,
    symptom: '169.254.169.254 refuses or times out',
    cause: 'something between the guest’s device and the proxy',
    recognised: 'a request from an address that nobody has is not answered',
    expected: 'a request on the guest’s network is answered',
    mend: 'tcpdump -ni any host 169.254.169.254, in the namespace and on the bridge',
    judge: (facts) =>
      visitsOf(facts).flatMap(({ visit, by, severity }): readonly Spot[] => {
        const answered = knownOf(visit)
        const observed = answered && VISITS[answered.outcome](answered as never)
        return observed === undefined ? [] : [{ observed: `${by}${observed}`, severity }]
      }),
  },
]

const VISITS: { readonly [O in 'answered' | 'silent' | 'refused' | 'lost']: (of: never) => string | undefined } = {
  answered: ({ status }: { readonly status: number }) => (status < 500 ? undefined : `it is answered with ${status}`),
  silent: () => 'the connection is accepted, and nothing is said',
  refused: ({ code }: { readonly code: string }) => `it ends in ${code}`,
  lost: () => 'nothing comes back',
}

function isKind(program: unknown, kind: string): boolean {
  return typeof program === 'object' && program !== null && 'kind' in program && program.kind === kind
}
