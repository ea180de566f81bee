import { type Fault, knownOf } from '../fault.ts'
import type { DatabaseAccess, OvnFacts } from './facts.ts'

/** The programs and databases that OVN is, as far as this host depends on them. */
export const connectionFaults: readonly Fault<OvnFacts>[] = [
  {
    id: 'vswitchd-dead',
    step: 'switch',
    severity: 'broken',
    symptom: 'no guest of this host hears anything',
    cause: 'ovs-vswitchd does not run: nobody carries packets, or makes new ports',
    recognised: 'no process of this host is ovs-vswitchd',
    expected: 'ovs-vswitchd runs',
    mend: 'start it (systemctl start ovs-vswitchd, openvswitch-switch), and look at ovs-vswitchd.log for why it ended',
    judge: ({ ovn }) => missing(ovn, 'ovs-vswitchd'),
  },
  {
    id: 'switch-database-unreachable',
    step: 'ovn',
    severity: 'broken',
    symptom: 'new guests of this host get no metadata',
    cause: 'Open vSwitch’s own database cannot be read: its server has ended, or listens elsewhere',
    recognised: 'connecting to it fails',
    expected: 'the local Open_vSwitch database can be read',
    mend: 'start ovsdb-server (systemctl start ovsdb-server), or correct ovsdb_connection',
    judge: ({ ovn }) => unreachable(ovn.databases, 'Open_vSwitch'),
  },
  {
    id: 'chassis-unnamed',
    step: 'chassis',
    severity: 'broken',
    symptom: 'no guest of this host gets metadata',
    cause: 'this host has no name in OVN',
    recognised: 'external_ids of Open_vSwitch has no system-id',
    expected: 'Open_vSwitch has a system-id',
    mend: 'ovs-vsctl set Open_vSwitch . external_ids:system-id=$(hostname)',
    judge: ({ ovn: { local } }) => {
      const found = knownOf(local)
      return found !== undefined && found.systemId === undefined ? 'there is no system-id' : undefined
    },
  },
  {
    id: 'southbound-unknown',
    step: 'ovn',
    severity: 'broken',
    symptom: 'no guest of this host gets metadata',
    cause: 'nobody says where the Southbound database is',
    recognised: 'neither ovn_sb_connection nor external_ids:ovn-remote of Open_vSwitch is set',
    expected: 'it is known where the Southbound database is',
    mend: 'ovs-vsctl set Open_vSwitch . external_ids:ovn-remote=ssl:ADDRESS:6642, or --ovn-sb-connection',
    judge: ({ ovn: { databases, local } }) =>
      knownOf(local) !== undefined &&
      databases.some(({ name, remote }) => name === 'OVN_Southbound' && remote === undefined)
        ? 'neither ovn_sb_connection nor ovn-remote is set'
        : undefined,
  },
  {
    id: 'southbound-unreachable',
    step: 'ovn',
    severity: 'broken',
    symptom: 'guests that were there before are answered, new ones get 503',
    cause: 'the Southbound database cannot be read: its servers are down, or a network or certificate is in the way',
    recognised: 'connecting to it fails',
    expected: 'the Southbound database can be read',
    mend: 'look whether its servers run (ovn-appctl cluster/status OVN_Southbound there) and whether this host may connect',
    judge: ({ ovn, agent }) => {
      const observed = unreachable(ovn.databases, 'OVN_Southbound')
      if (observed === undefined) return undefined
      return knownOf(agent)?.reply?.status === 200 ? { observed, severity: 'risk' } : observed
    },
  },
  {
    id: 'northbound-unreachable',
    step: 'ovn',
    severity: 'risk',
    symptom: 'new networks and ports of the inventory do not appear in OVN',
    cause: 'the Northbound database cannot be read, which firstboot up writes',
    recognised: 'connecting to it fails',
    expected: 'the Northbound database can be read',
    mend: 'look whether its servers run, and whether ovn_nb_connection is right',
    judge: ({ ovn }) => unreachable(ovn.databases, 'OVN_Northbound'),
  },
  {
    id: 'database-disconnected',
    step: 'ovn',
    severity: 'broken',
    symptom: 'guests that were there before are answered, new ones get 503',
    cause: 'the daemon does not get at a database that others can read: it has other certificates, or has just lost it',
    recognised: 'the daemon says so, and connecting to the database succeeds',
    expected: 'the daemon is connected to its databases',
    mend: 'look at the log of the daemon; certificates are read at each attempt, remotes at its start',
    judge: ({ ovn: { databases } }) =>
      databases
        .filter(({ problem, daemonProblem }) => problem === undefined && daemonProblem !== undefined)
        .map(({ name, daemonProblem }) => `${name}: ${daemonProblem}`),
  },
  {
    id: 'northd-dead',
    step: 'ovn',
    severity: 'broken',
    symptom: 'new ports and networks do not work, changed ones do not change',
    cause: 'no ovn-northd translates the Northbound into the Southbound',
    recognised: 'nobody holds its lock (`ovn_northd`) in the Southbound database',
    expected: 'an ovn-northd holds its lock',
    mend: 'start ovn-northd on the central hosts, and look at ovn-northd.log for why it ended',
    judge: ({ ovn: { hasNorthd } }) =>
      knownOf(hasNorthd) === false ? 'nobody holds the lock of ovn-northd' : undefined,
  },
  {
    id: 'northd-behind',
    step: 'ovn',
    severity: 'risk',
    symptom: 'new ports and networks do not work for long, changed ones do not change',
    cause: 'ovn-northd is overloaded or hangs: it has its lock, and does not translate',
    recognised:
      'nb_cfg of SB_Global stays behind that of NB_Global while we look (only where the Northbound is written)',
    expected: 'ovn-northd copies nb_cfg of the Northbound into the Southbound',
    mend: 'ovn-appctl -t ovn-northd status on the central hosts; look at ovn-northd.log; where it hangs, restart it',
    judge: ({ ovn: { northdBehind } }) => (northdBehind > 0 ? `nb_cfg is ${northdBehind} behind` : undefined),
  },
  {
    id: 'ovn-controller-dead',
    step: 'chassis',
    severity: 'broken',
    symptom: 'no lease (ovn-controller gives them), and new ports never come up',
    cause: 'ovn-controller does not run on this host',
    recognised: 'no process of this host is ovn-controller',
    expected: 'ovn-controller runs',
    mend: 'start it (systemctl start ovn-controller, ovn-host), and look at ovn-controller.log for why it ended',
    judge: ({ ovn }) => missing(ovn, 'ovn-controller'),
  },
  {
    id: 'chassis-missing',
    step: 'chassis',
    severity: 'broken',
    symptom: 'requests are held, then 503, for every guest of this host',
    cause: 'OVN does not know this host: ovn-controller has not registered it, or somebody deleted its row',
    recognised: 'no row of Chassis in the Southbound has our system-id',
    expected: 'this host is registered as a chassis',
    mend: 'restart ovn-controller; its log says what hinders it (two hosts with one system-id or one tunnel address)',
    judge: ({ ovn: { southbound, local } }) =>
      knownOf(southbound)?.hasChassis === false ? `there is no chassis ${knownOf(local)?.systemId ?? ''}` : undefined,
  },
  {
    id: 'chassis-behind',
    step: 'chassis',
    severity: 'risk',
    symptom: 'changes take effect late on this host',
    cause: 'ovn-controller is overloaded, hangs, or has lost the Southbound',
    recognised: 'nb_cfg of our row of Chassis_Private stays behind that of SB_Global while we look',
    expected: 'ovn-controller follows nb_cfg',
    mend: 'ovn-appctl -t ovn-controller connection-status; look at ovn-controller.log',
    judge: ({ ovn: { southbound } }) => {
      const behind = knownOf(southbound)?.behind ?? 0
      return behind > 0 ? `nb_cfg is ${behind} behind` : undefined
    },
  },
  {
    id: 'bridge-not-there',
    step: 'switch',
    severity: 'broken',
    symptom: 'no guest of this host hears anything',
    cause: 'Open vSwitch has no bridge of the name that ovn-bridge says, or br-int where it says nothing',
    recognised: 'no row of Bridge has the name',
    expected: 'the integration bridge is there',
    mend: 'correct external_ids:ovn-bridge of Open_vSwitch; ovn-controller makes the bridge when it starts',
    judge: ({ ovn: { local } }) => {
      const { hasBridge, bridge } = knownOf(local) ?? {}
      return hasBridge === false ? `Open vSwitch has no bridge ${bridge}` : undefined
    },
  },
]

function missing({ programs }: OvnFacts['ovn'], program: string): string | undefined {
  return knownOf(programs)?.has(program) === false ? `${program} does not run` : undefined
}

function unreachable(databases: readonly DatabaseAccess[], wanted: DatabaseAccess['name']): string | undefined {
  const { remote, problem } = databases.find(({ name }) => name === wanted) ?? {}
  return remote === undefined || problem === undefined ? undefined : `${wanted} at ${remote}: ${problem}`
}
