import type { ListeningSocket } from '../../host/examine/listening.ts'
import { type DhcpServer, firstbootCommand } from '../../host/examine/neighbours.ts'
import type { Marked, NetworkFacts } from '../../host/examine/network.ts'
import { type Check, error, ifKnown, type Observation, unknown, unless, warning } from '../check.ts'

const ANY: readonly string[] = ['0.0.0.0', '::']
const METADATA: readonly string[] = ['169.254.169.254', 'fe80::a9fe:a9fe']
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', '::ffff:127.0.0.1']

export const clashChecks: readonly Check[] = [
  {
    name: 'clashes/metadata-address',
    expected: 'in namespaces of ours nobody else listens on port 80',
    judge: ({ network: { listeningInside } }) =>
      ifKnown(listeningInside, (inside) =>
        unless(
          [...inside].flatMap(([netns, sockets]) =>
            sockets
              .filter((socket) => socket.protocol === 'tcp' && socket.port === 80 && isStranger(socket))
              .map((socket) => error(`in ${netns} ${who(socket)} listens on ${place(socket)}`, end(socket))),
          ),
          'so it is',
        ),
      ),
  },
  {
    name: 'clashes/host-metadata-address',
    expected: 'on the host itself nobody serves 169.254.169.254',
    judge: ({ network: { listening } }) =>
      unless(
        listening
          .filter(({ port, address }) => port === 80 && METADATA.includes(address))
          .map((socket) =>
            warning(
              `${who(socket)} listens on ${place(socket)}: what the host's own programs ask there is answered by it`,
              'nothing, when that is meant: guests in namespaces do not see it',
            ),
          ),
        'nobody does',
      ),
  },
  {
    name: 'clashes/metadata-api-port',
    expected: 'port 8775 is free for firstboot metadata-api, or its own',
    judge: ({ network: { listening } }) =>
      unless(
        listening
          .filter(({ port, address }) => port === 8775 && [...ANY, ...LOOPBACK].includes(address))
          .filter(isStranger)
          .map((socket) =>
            socket.owner === undefined
              ? unknown(`somebody listens on ${place(socket)}; only root may see who`)
              : warning(
                  `${who(socket)} listens on ${place(socket)}`,
                  'stop it, or start firstboot metadata-api with another --metadata-listen-port',
                ),
          ),
        'so it is',
      ),
  },
  {
    name: 'clashes/dhcp',
    expected: 'on our bridges nobody else answers DHCP',
    judge: ({ neighbours, network }) =>
      ifKnown(neighbours, ({ dnsmasq }) =>
        ifKnown(network.marked, (marked) => unless(strangeDhcp(dnsmasq, marked, network), 'nobody does')),
      ),
  },
  {
    name: 'clashes/neutron',
    expected: 'no agent of Neutron runs on this host',
    judge: ({ neighbours, network: { ownInode } }) =>
      ifKnown(neighbours, ({ neutronAgents }) =>
        unless(
          neutronAgents
            .filter(({ netnsInode }) => netnsInode === ownInode)
            .map(({ pid, arguments: args }) =>
              warning(
                `process ${pid} is one: ${args.find((each) => each.includes('neutron-')) ?? ''}`,
                'let each serve networks of its own: the names are the same, and neither touches what the other made',
              ),
            ),
          'none runs',
        ),
      ),
  },
  {
    name: 'clashes/bridge-filter',
    expected: 'packets between guests of one bridge pass: iptables does not see them, or lets them',
    judge: ({ kernel: { isBridgeFiltered, forwardPolicy } }) => {
      if (!isBridgeFiltered) return unless([], 'iptables does not see them')
      return ifKnown(forwardPolicy, (policy) =>
        policy === 'DROP'
          ? [
              error(
                'net.bridge.bridge-nf-call-iptables is 1 and the policy of FORWARD is DROP (as Docker sets it): DHCP and metadata requests are lost on the bridge',
                'sysctl -w net.bridge.bridge-nf-call-iptables=0, or iptables -I DOCKER-USER -i brq+ -o brq+ -j ACCEPT',
              ),
            ]
          : unless([], `the policy of FORWARD is ${policy}`),
      )
    },
  },
]

/** A DHCP server in the host's own namespace that keeps to no interfaces, or to one of our bridges. */
function strangeDhcp(
  dnsmasq: readonly DhcpServer[],
  marked: readonly Marked[],
  { ownInode, listening }: NetworkFacts,
): readonly Observation[] {
  const bridges = marked.filter(({ kind }) => kind === 'bridge').map(({ name }) => name)
  const answers = new Set(listening.filter(({ port }) => port === 67).map(({ owner }) => owner?.pid))
  return dnsmasq
    .filter(({ netnsInode }) => netnsInode === ownInode)
    .flatMap(({ pid, interfaces }) => {
      const ours = interfaces.filter((name) => bridges.includes(name))
      const keep = `let it keep to its interfaces (interface=…, bind-interfaces in its configuration)`
      if (ours.length > 0) return [error(`dnsmasq ${pid} answers on ${ours.join(', ')}`, keep)]
      const isEverywhere = interfaces.length === 0 && answers.has(pid) && bridges.length > 0
      return isEverywhere ? [error(`dnsmasq ${pid} answers DHCP on every interface, our bridges too`, keep)] : []
    })
}

function isStranger({ owner }: ListeningSocket): boolean {
  return owner === undefined || firstbootCommand(owner.arguments) === undefined
}

function who({ owner }: ListeningSocket): string {
  return owner === undefined
    ? 'a process that only root may name'
    : `process ${owner.pid} (${owner.arguments.slice(0, 3).join(' ').slice(0, 80)})`
}

function place({ address, port }: ListeningSocket): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function end({ owner }: ListeningSocket): string {
  return owner === undefined ? 'find it (ss -ltnp, as root) and stop it' : `stop it (kill ${owner.pid})`
}
