import { type Check, error, ifKnown, type Observation, unless, warning, well } from '../check.ts'
import type { Facts, OvnHost } from '../facts.ts'

/** Of a chassis of OVN. On other hosts there is nothing to say. */
export const ovnChecks: readonly Check[] = [
  {
    name: 'ovn/switch-database',
    expected: 'Open vSwitch’s own database can be read: it says who this chassis is',
    judge: onOvn(({ local: { remote, problem } }) => [
      problem === undefined
        ? well(remote)
        : error(
            `${remote}: ${problem}`,
            'start ovsdb-server (package openvswitch-switch), or name its socket: --ovsdb-connection',
          ),
    ]),
  },
  {
    name: 'ovn/switch',
    expected: 'ovs-vswitchd runs: it carries the packets of guests',
    judge: onOvn((ovn) => judgeProgram(ovn, 'ovs-vswitchd', 'start it (systemctl start openvswitch-switch)')),
  },
  {
    name: 'ovn/controller',
    expected: 'ovn-controller runs: it binds ports and answers DHCP',
    judge: onOvn((ovn) =>
      judgeProgram(ovn, 'ovn-controller', 'start it (systemctl start ovn-controller, package ovn-host)'),
    ),
  },
  {
    name: 'ovn/system-id',
    expected: 'this host has a name in OVN',
    judge: onOvn(({ chassis }) =>
      ifKnown(chassis, ({ systemId }) => [
        systemId === undefined
          ? error('there is no system-id', 'ovs-vsctl set Open_vSwitch . external_ids:system-id=$(hostname)')
          : well(systemId),
      ]),
    ),
  },
  {
    name: 'ovn/southbound',
    expected: 'it is known where the Southbound database is, and it can be read',
    judge: onOvn(({ southbound: { remote, problem } }) => {
      if (remote === undefined)
        return [
          error(
            'neither ovn_sb_connection nor external_ids:ovn-remote of Open_vSwitch says where it is',
            'ovs-vsctl set Open_vSwitch . external_ids:ovn-remote=ssl:ADDRESS:6642',
          ),
        ]
      return [
        problem === undefined
          ? well(remote)
          : error(
              `${remote}: ${problem}`,
              'look whether its servers run, and whether this host’s certificates are theirs',
            ),
      ]
    }),
  },
  {
    name: 'ovn/schema',
    expected: 'the Southbound is of OVN 22.06 or later: it knows chassis that are requested or additional',
    judge: onOvn(({ southbound: { lacks } }) =>
      ifKnown(lacks, (all) =>
        unless(
          all.map((column) =>
            warning(`it has no ${column}: guests that are bound or moved soon are not known before`, 'upgrade OVN'),
          ),
          'it is',
        ),
      ),
    ),
  },
  {
    name: 'ovn/bridge',
    expected: 'the integration bridge is there',
    judge: onOvn(({ chassis }) =>
      ifKnown(chassis, ({ bridge, datapathType }) => [
        datapathType === undefined
          ? error(
              `Open vSwitch has no bridge ${bridge}`,
              'correct external_ids:ovn-bridge of Open_vSwitch; ovn-controller makes the bridge when it starts',
            )
          : well(bridge),
      ]),
    ),
  },
  {
    name: 'ovn/datapath',
    expected: 'the integration bridge has a datapath: the kernel’s, with its module, or one in userspace',
    judge: onOvn(({ chassis, hasKernelModule }) =>
      ifKnown(chassis, ({ datapathType }) => {
        if (datapathType === undefined) return [well('there is no bridge to have one')]
        if (datapathType === 'netdev') return [well('in userspace')]
        return [
          hasKernelModule
            ? well('the kernel’s')
            : error(
                'the kernel has no module openvswitch',
                'modprobe openvswitch; or ovs-vsctl set Open_vSwitch . external_ids:ovn-bridge-datapath-type=netdev',
              ),
        ]
      }),
    ),
  },
  {
    name: 'ovn/agents',
    expected: 'one metadata agent serves this chassis',
    judge: ({ ovn, neighbours, network: { ownInode } }) =>
      ovn === undefined
        ? []
        : ifKnown(neighbours, ({ neutronAgents, firstboots }) => {
            const isOurs = firstboots.some(({ command }) => command === 'ovn-metadata-agent')
            const theirs = neutronAgents.filter(
              ({ netnsInode, arguments: args }) => netnsInode === ownInode && args.some((each) => OVN_AGENT.test(each)),
            )
            if (!isOurs) return [well(theirs.length > 0 ? 'Neutron’s' : 'none of ours runs')]
            return unless(
              theirs.map(({ pid }) =>
                error(
                  `process ${pid} is neutron-ovn-metadata-agent: both plug the metadata port in, and OVN binds neither`,
                  `end one of them, and delete what it left: kill ${pid}; ip netns delete ovnmeta-...`,
                ),
              ),
              'firstboot ovn-metadata-agent',
            )
          }),
  },
  {
    name: 'ovn/leftovers',
    expected: 'namespaces ovnmeta- and their ports of Open vSwitch are of an agent that runs',
    judge: ({ ovn, owners, neighbours }) => {
      if (ovn === undefined) return []
      const isNeutronsThere =
        'value' in neighbours &&
        neighbours.value.neutronAgents.some(({ arguments: args }) => args.some((each) => OVN_AGENT.test(each)))
      return unless(
        [
          ...(isNeutronsThere ? [] : ovn.foreignNamespaces).map((name) =>
            warning(
              `namespace ${name} is not ours, and no agent of Neutron runs: firstboot leaves it alone, and cannot serve there`,
              `ip netns delete ${name}`,
            ),
          ),
          ...('value' in ovn.chassis ? ovn.chassis.value.ports : []).flatMap((port) => judgePort(port, owners)),
        ],
        'so they are',
      )
    },
  },
]

const OVN_AGENT = /(^|\/)neutron-ovn(-metadata)?-agent$/

function onOvn(judge: (ovn: OvnHost) => readonly Observation[]): Check['judge'] {
  return ({ ovn }) => (ovn === undefined ? [] : judge(ovn))
}

function judgeProgram({ programs }: OvnHost, program: string, mend: string): readonly Observation[] {
  return ifKnown(programs, (all) => [all.has(program) ? well('it does') : error('it does not', mend)])
}

/** A port that carries our mark. */
function judgePort(
  {
    name,
    statePath,
    isThere,
  }: { readonly name: string; readonly statePath: string | undefined; readonly isThere: boolean },
  owners: Facts['owners'],
): readonly Observation[] {
  const owner = statePath === undefined ? undefined : owners.get(statePath)
  const remove = `ovs-vsctl del-port ${name}`
  if (statePath !== undefined && owner?.holder === undefined)
    return [
      warning(
        `port ${name} of Open vSwitch is of ${statePath}, on which nobody runs`,
        `start firstboot there again, which takes it over; or ${remove}`,
      ),
    ]
  return isThere ? [] : [warning(`port ${name} of Open vSwitch has no device`, remove)]
}
