import type { Trial } from '../../host/examine/kernel.ts'
import { type Check, error, ifKnown, type Observation, unknown, warning, well } from '../check.ts'

interface TrialRow extends Trial {
  readonly expected: string
  readonly judgeFailure: (said: string) => Observation
}

const REDIRECT = ['-p', 'tcp', '--dport', '80', '-j', 'REDIRECT', '--to-ports', '9697']
const PREROUTING = ['-t', 'nat', '-A', 'PREROUTING']

const TRIAL_ROWS: readonly TrialRow[] = [
  {
    name: 'veth',
    command: ['ip', 'link', 'add', 'fb-a', 'type', 'veth', 'peer', 'name', 'fb-b'],
    expected: 'a veth pair can be made: it is how a namespace is joined to its bridge',
    judgeFailure: (said) => error(said, 'use a kernel with CONFIG_VETH (modprobe veth)'),
  },
  {
    name: 'bridge',
    command: ['ip', 'link', 'add', 'fb-br', 'type', 'bridge'],
    expected: 'a bridge can be made: each network has one',
    judgeFailure: (said) => error(said, 'use a kernel with CONFIG_BRIDGE (modprobe bridge)'),
  },
  {
    name: 'redirect',
    command: ['iptables', ...PREROUTING, '-d', '169.254.169.254/32', ...REDIRECT],
    expected: 'iptables can redirect 169.254.169.254: it is how routers reach the metadata proxy',
    judgeFailure: (said) => warning(said, 'use a kernel with the nat table and REDIRECT (modprobe xt_REDIRECT)'),
  },
  {
    name: 'redirect-ipv6',
    command: ['ip6tables', ...PREROUTING, '-d', 'fe80::a9fe:a9fe/128', ...REDIRECT],
    expected: 'ip6tables can redirect fe80::a9fe:a9fe: it is how routers reach the metadata proxy by IPv6',
    judgeFailure: (said) => warning(said, 'use a kernel with ip6table_nat and REDIRECT (modprobe ip6table_nat)'),
  },
  {
    name: 'port-security',
    command: ['nft', 'add table bridge fb; add chain bridge fb c { type filter hook prerouting priority -200; }'],
    expected: 'nft can filter on bridges: it is how a guest is kept from sending as its neighbour',
    judgeFailure: (said) => warning(said, 'use a kernel with CONFIG_NF_TABLES_BRIDGE (modprobe nft_meta_bridge)'),
  },
]

export const TRIALS: readonly Trial[] = TRIAL_ROWS

export const kernelChecks: readonly Check[] = [
  {
    name: 'kernel/namespaces',
    expected: 'network, mount and PID namespaces can be made (for a plain user: by way of a user namespace)',
    judge: ({ kernel: { namespaceProblem, release } }) =>
      namespaceProblem === undefined
        ? [well(`Linux ${release}`)]
        : [error(namespaceProblem, 'what stands behind the reason; without it neither sandboxes nor guests are made')],
  },
  ...TRIAL_ROWS.map(
    ({ name, expected, judgeFailure }): Check => ({
      name: `kernel/${name}`,
      expected,
      judge: ({ kernel }) => {
        const outcome = kernel.trials.get(name)
        if (outcome === undefined) return [unknown('it was not tried')]
        return ifKnown(outcome, (said) => [said === undefined ? well('tried, and it works') : judgeFailure(said)])
      },
    }),
  ),
  {
    name: 'kernel/ipv6',
    expected: 'the kernel has IPv6, so that guests can ask fe80::a9fe:a9fe',
    judge: ({ kernel: { hasIpv6, isIpv6Disabled } }) => {
      if (!hasIpv6)
        return [warning('this kernel has no IPv6: guests have only 169.254.169.254', 'boot without ipv6.disable=1')]
      if (!isIpv6Disabled) return [well('it has')]
      return [
        warning(
          'IPv6 is switched off for all interfaces, and new namespaces inherit that',
          'sysctl -w net.ipv6.conf.all.disable_ipv6=0',
        ),
      ]
    },
  },
]
