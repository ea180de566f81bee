import { type Fault, knownOf } from '../fault.ts'
import { stepFault } from '../faults/step-fault.ts'
import type { OvnFacts } from './facts.ts'

const REPAIRED = 'the daemon repairs it at once; when it does not, firstboot datapath status says why'

/** The way between the integration bridge and the namespace. */
export const switchFaults: readonly Fault<OvnFacts>[] = [
  stepFault(
    ['device-add'],
    {
      id: 'veth-missing',
      step: 'veth',
      symptom: 'no answer from 169.254.169.254, for every guest of the network',
      cause: 'the namespace lost its device: somebody deleted the veth pair',
      recognised: 'the datapath would make it',
      expected: 'a veth pair joins the namespace to the integration bridge',
      mend: REPAIRED,
    },
    ({ command }) => command.kind === 'device-add' && command.device.ifaceId !== undefined,
  ),
  {
    id: 'localport-taken',
    step: 'switch',
    severity: 'broken',
    symptom: 'no answer from 169.254.169.254, for every guest of the network here',
    cause: 'another interface claims to be the metadata port: what another agent left, or a second one that runs',
    recognised: 'an interface that is not our veth has the metadata port’s id as iface-id',
    expected: 'nobody but us has the metadata port’s id as iface-id',
    mend: 'ovs-vsctl del-port it; end neutron-ovn-metadata-agent where it runs beside us',
    judge: ({ ovn: { local, veth } }) => {
      const pair = knownOf(veth)
      if (pair === undefined) return undefined
      return (knownOf(local)?.metadata ?? [])
        .filter(({ name }) => name !== pair.outer)
        .map(({ name, bridge }) => ({
          observed: `${name} on ${bridge ?? 'no bridge'} has the iface-id ${pair.ifaceId}`,
          mend: `ovs-vsctl del-port ${name}; end neutron-ovn-metadata-agent where it runs beside us`,
        }))
    },
  },
  {
    id: 'switch-port-missing',
    step: 'switch',
    severity: 'broken',
    symptom: 'no answer from 169.254.169.254, for every guest of the network here',
    cause: 'the veth of the namespace is no port of the integration bridge, or has another iface-id',
    recognised: 'no interface of its name has the metadata port’s id as iface-id and is on that bridge',
    expected: 'our veth is a port of the integration bridge, with the metadata port’s id as iface-id',
    mend: REPAIRED,
    judge: ({ ovn: { local, veth } }) => {
      const [own, pair] = [knownOf(local), knownOf(veth)]
      if (own === undefined || pair === undefined || !pair.ends.some(({ name }) => name === pair.outer))
        return undefined
      const port = own.metadata.find(({ name }) => name === pair.outer)
      if (port?.bridge === own.bridge) return undefined
      return port === undefined
        ? `no port ${pair.outer} of ${own.bridge} has the iface-id ${pair.ifaceId}`
        : `${pair.outer} is on ${port.bridge ?? 'no bridge'}, not on ${own.bridge}`
    },
  },
  {
    id: 'switch-port-broken',
    step: 'switch',
    severity: 'broken',
    symptom: 'no answer from 169.254.169.254, for every guest of the network here',
    cause: 'Open vSwitch could not make the port of our veth',
    recognised: 'its row has an error, or no OpenFlow port',
    expected: 'our veth has an OpenFlow port',
    mend: 'ovs-vsctl list Interface NAME says what hinders it; ovs-vsctl del-port it: it is made anew',
    judge: ({ ovn: { local } }) =>
      (knownOf(local)?.metadata ?? [])
        .filter(({ error, ofport }) => error !== '' || (ofport ?? 0) < 0)
        .map(({ name, error }) => `${name}: ${error || 'it has no OpenFlow port'}`),
  },
  {
    id: 'veth-down',
    step: 'veth',
    severity: 'broken',
    symptom: 'no answer from 169.254.169.254, for every guest of the network here',
    cause: 'an end of the veth pair is down',
    recognised: 'it is there and not up',
    expected: 'both ends of the veth pair are up',
    mend: REPAIRED,
    judge: ({ ovn: { veth } }) =>
      (knownOf(veth)?.ends ?? []).filter(({ isUp }) => !isUp).map(({ name }) => `${name} is down`),
  },
  {
    id: 'ovn-mtu-hole',
    step: 'veth',
    severity: 'broken',
    symptom: 'small answers come, large ones never end',
    cause: 'a device on the way takes smaller packets than the network promises the guest',
    recognised: 'the MTU of the guest’s interface or of the veth pair is below that of the network',
    expected: 'every device on the way takes packets of the network’s MTU',
    mend: 'ip link set DEVICE mtu MTU (the veth pair is repaired by the daemon), or lower the MTU of the network',
    judge: ({ ovn: { local, veth }, records: { network } }) => {
      const wanted = network?.mtu ?? 0
      const guest = (knownOf(local)?.guest ?? []).map(({ name, mtu }) => ({ name, mtu: mtu ?? wanted }))
      return [...guest, ...(knownOf(veth)?.ends ?? [])]
        .filter(({ mtu }) => mtu < wanted)
        .map(({ name, mtu }) => ({
          observed: `${name} has MTU ${mtu}, the network ${wanted}`,
          mend: `ip link set ${name} mtu ${wanted}`,
        }))
    },
  },
  {
    id: 'checksums-left',
    step: 'veth',
    severity: 'risk',
    symptom: 'pings are answered and connections to 169.254.169.254 hang',
    cause: 'an end of the veth pair leaves checksums to hardware that is not there',
    recognised: 'its offload of transmitted checksums is on; in userspace the switch does not finish them',
    expected: 'checksums of what the veth pair sends are computed in software',
    mend: 'ethtool -K DEVICE tx off',
    judge: ({ ovn: { veth, local }, path }) =>
      (knownOf(veth)?.ends ?? [])
        .filter(({ computesChecksums }) => !computesChecksums)
        .map(({ name }) => ({
          observed: `${name} leaves checksums to others`,
          severity: knownOf(local)?.isUserspace === true ? ('broken' as const) : ('risk' as const),
          mend: `ethtool -K ${name} tx off (of the end inside: ip netns exec ${path.netns} ...)`,
        })),
  },
]
