import { contains, ipVersion, parseCidr } from '../../inventory/records/address.ts'
import { type Fault, knownOf, type Spot } from '../fault.ts'
import type { BindingFacts, OvnFacts, SwitchFacts } from './facts.ts'

/** Where the guest's port is, and what its network has for metadata. */
export const bindingFaults: readonly Fault<OvnFacts>[] = [
  {
    id: 'port-unknown-to-ovn',
    step: 'binding',
    severity: 'broken',
    symptom: 'the guest hears nothing of the network',
    cause: 'the Southbound has no such port: it was never written to the Northbound, or not translated',
    recognised: 'no row of Port_Binding has the port’s id',
    expected: 'the Southbound has the port',
    mend: 'ovn-nbctl list Logical_Switch_Port ID; where it is missing, look at the log of whoever writes the Northbound',
    judge: ({ ovn: { southbound }, records: { port } }) => {
      const found = knownOf(southbound)
      return found !== undefined && found.binding === undefined && port !== undefined
        ? `the Southbound has no port ${port.id}`
        : undefined
    },
  },
  {
    id: 'port-elsewhere',
    step: 'binding',
    severity: 'risk',
    symptom: 'none, where the guest runs',
    cause: 'the guest runs on another host, whose agent answers it',
    recognised: 'its port is bound to another chassis, and no interface here claims it',
    expected: 'the guest runs on this host',
    mend: 'firstboot explain it on that host',
    judge: (facts) =>
      seen(facts, ({ chassis }, { systemId, guest }) =>
        guest.length === 0 && chassis.length > 0 && !chassis.includes(systemId ?? '')
          ? `port is bound to ${chassis.join(', ')}, not to ${systemId ?? 'this host'}`
          : undefined,
      ),
  },
  {
    id: 'port-not-plugged',
    step: 'binding',
    severity: 'broken',
    symptom: 'the guest hears nothing of the network',
    cause: 'no host has plugged the guest in: it does not run, or its interface has another iface-id',
    recognised: 'the port has no chassis, and no interface here has its id as iface-id',
    expected: 'an interface on the integration bridge has the port’s id as iface-id',
    mend: 'start the guest; or ovs-vsctl set Interface TAP external_ids:iface-id=PORT on its host',
    judge: (facts) =>
      seen(facts, ({ chassis, logicalPort }, { guest, bridge }) =>
        chassis.length === 0 && guest.length === 0
          ? {
              observed: `port is bound nowhere, and nothing on ${bridge} has the iface-id ${logicalPort}`,
              mend: `start the guest; or ovs-vsctl set Interface TAP external_ids:iface-id=${logicalPort} on its host`,
            }
          : undefined,
      ),
  },
  {
    id: 'iface-id-twice',
    step: 'binding',
    severity: 'broken',
    symptom: 'the guest hears nothing of the network, or another machine hears it',
    cause: 'two interfaces of this host claim to be the guest’s port',
    recognised: 'several interfaces have its id as iface-id',
    expected: 'one interface has the port’s id as iface-id',
    mend: 'ovs-vsctl del-port the one that is left over',
    judge: (facts) =>
      seen(facts, (_, { guest }) =>
        guest.length > 1 ? `${guest.map(({ name }) => name).join(', ')} have its iface-id` : undefined,
      ),
  },
  {
    id: 'interface-on-wrong-bridge',
    step: 'switch',
    severity: 'broken',
    symptom: 'the guest hears nothing of the network',
    cause: 'the guest’s interface is on another bridge than the one that ovn-controller keeps (ovn-bridge)',
    recognised: 'the bridge of its interface is not the integration bridge',
    expected: 'the guest’s interface is on the integration bridge',
    mend: 'move the interface (ovs-vsctl del-port, add-port), or correct external_ids:ovn-bridge of Open_vSwitch',
    judge: (facts) =>
      seen(facts, (_, { guest, bridge }) =>
        guest
          .filter((each) => each.bridge !== bridge)
          .map(({ name, bridge: on }) => `${name} is on ${on ?? 'no bridge'}, ovn-bridge is ${bridge}`),
      ),
  },
  {
    id: 'interface-broken',
    step: 'switch',
    severity: 'broken',
    symptom: 'the guest hears nothing of the network',
    cause: 'Open vSwitch could not make the guest’s interface, or its device is gone or down',
    recognised: 'its row has an error, no OpenFlow port, or is down',
    expected: 'the guest’s interface has an OpenFlow port and is up',
    mend: 'ovs-vsctl list Interface TAP says what hinders it; ip link set TAP up',
    judge: (facts) =>
      seen(facts, (_, { guest }) =>
        guest.flatMap(({ name, error, ofport, isUp }): readonly Spot[] => {
          if (error !== '' || (ofport ?? 0) < 0) return [`${name}: ${error || 'it has no OpenFlow port'}`]
          return ofport === undefined || isUp ? [] : [{ observed: `${name} is down`, mend: `ip link set ${name} up` }]
        }),
      ),
  },
  {
    id: 'port-contested',
    step: 'binding',
    severity: 'broken',
    symptom: 'the guest hears the network now and then',
    cause: 'two hosts claim the port: a copy of the guest runs elsewhere, or an interface was left there',
    recognised:
      'an interface here has its id as iface-id, and it is bound to another chassis, or changed while we looked',
    expected: 'one host claims the port',
    mend: 'on the host where the guest does not run: ovs-vsctl del-port the interface with its iface-id',
    judge: (facts) =>
      seen(facts, ({ chassis, additional, requested }, { systemId = '', guest }) => {
        const others = chassis.filter((name) => name !== systemId)
        // Then only those that were named claim it.
        const isDecided = requested !== undefined || additional.length > 0
        return guest.length > 0 && others.length > 0 && !isDecided
          ? `${others.join(', ')} claims it, and ${guest[0]?.name} on ${systemId} does`
          : undefined
      }),
  },
  {
    id: 'port-requested-elsewhere',
    step: 'binding',
    severity: 'broken',
    symptom: 'the guest hears nothing of the network',
    cause: 'the port is to be bound to another host than that on which the guest is plugged in',
    recognised: 'an interface here has its id as iface-id, and requested_chassis is another',
    expected: 'the guest runs where its port is requested',
    mend: 'let Neutron bind it here (or ovn-nbctl lsp-set-options PORT requested-chassis=HOST), or move the guest',
    judge: (facts) =>
      seen(facts, ({ chassis, requested, additional }, { systemId = '', guest }) =>
        guest.length > 0 &&
        requested !== undefined &&
        requested !== systemId &&
        ![...chassis, ...additional].includes(systemId)
          ? `${guest[0]?.name} is plugged in here, and the port is requested on ${requested}`
          : undefined,
      ),
  },
  {
    id: 'port-not-claimed',
    step: 'binding',
    severity: 'broken',
    isSymptom: true,
    symptom: 'the guest hears nothing of the network',
    cause: 'ovn-controller has not bound the port, or has not yet made its flows',
    recognised: 'an interface here has its id as iface-id, and the port has no chassis or is not up',
    expected: 'the port is bound to this chassis and up',
    mend: 'look at ovn-controller.log for the port’s id',
    judge: (facts) =>
      seen(facts, ({ chassis, isUp }, { guest }) => {
        if (guest.length === 0) return undefined
        if (chassis.length === 0) return `${guest[0]?.name} is plugged in, and the port has no chassis`
        return isUp === false ? 'the port is not up' : undefined
      }),
  },
  {
    id: 'metadata-port-missing',
    step: 'localport',
    severity: 'broken',
    symptom: 'no route to 169.254.169.254 in the lease, and nobody answers, for every guest of the network',
    cause: 'the network has no metadata port: somebody deleted it, or ovn_metadata_enabled is false on the server',
    recognised: 'no localport of the network belongs to network:distributed',
    expected: 'the network has a metadata port',
    mend: 'set ovn_metadata_enabled on Neutron’s server, and run neutron-ovn-db-sync-util; of firstboot up: apply the file again',
    judge: ({ ovn: { southbound } }) => {
      const found = knownOf(southbound)
      return found?.binding !== undefined && found.metadataPorts.length === 0
        ? 'the network has no localport of network:distributed'
        : undefined
    },
  },
  {
    id: 'metadata-port-without-address',
    step: 'localport',
    severity: 'broken',
    symptom: 'no route to 169.254.169.254 in the lease; answers do not find their way back',
    cause: 'the metadata port has no address in the guest’s subnet, or no MAC address',
    recognised: 'no range of neutron:cidrs of the metadata port has the guest’s address',
    expected: 'the metadata port has an address in the guest’s subnet',
    mend: 'openstack port set --fixed-ip subnet=SUBNET PORT; neutron-ovn-db-sync-util brings Neutron and OVN together',
    judge: ({ ovn: { southbound }, records: { fixedIp } }) => {
      const [port] = knownOf(southbound)?.metadataPorts ?? []
      if (port === undefined || fixedIp === undefined) return undefined
      const { logicalPort, mac, cidrs } = port
      if (mac === undefined) return `${logicalPort} has no MAC address`
      if (ipVersion(fixedIp.ipAddress) === 6) return undefined
      const isNear = cidrs.map(parseCidr).some((cidr) => cidr !== undefined && contains(cidr, fixedIp.ipAddress))
      return isNear
        ? undefined
        : `${logicalPort} has ${cidrs.join(', ') || 'no address'}, the guest ${fixedIp.ipAddress}`
    },
  },
  {
    id: 'metadata-port-doubled',
    step: 'localport',
    severity: 'risk',
    symptom: 'none with firstboot; other agents may serve the wrong one after a restart',
    cause: 'the network has several metadata ports',
    recognised: 'several localports of the network belong to network:distributed',
    expected: 'the network has one metadata port',
    mend: 'delete the one that option 121 does not name',
    judge: ({ ovn: { southbound } }) => {
      const ports = knownOf(southbound)?.metadataPorts ?? []
      return ports.length > 1 ? `they are ${ports.map(({ logicalPort }) => logicalPort).join(', ')}` : undefined
    },
  },
  {
    id: 'address-doubled',
    step: 'resolution',
    severity: 'broken',
    symptom: 'every path is 404',
    cause: 'two ports of the network have the guest’s address, so nobody can say who asks',
    recognised: 'several rows of Port_Binding on the network have it in neutron:cidrs',
    expected: 'one port of the network has the address',
    mend: 'give one of the ports another address, or delete it',
    judge: ({ records: { found, fixedIp } }) =>
      found.length > 1 ? `ports ${found.map(({ id }) => id).join(', ')} have ${fixedIp?.ipAddress}` : undefined,
  },
]

/** Of a port and a switch that could both be looked at. */
function seen<T>(
  { ovn: { southbound, local } }: OvnFacts,
  judge: (binding: BindingFacts, own: SwitchFacts) => T | undefined,
): T | undefined {
  const binding = knownOf(southbound)?.binding
  const own = knownOf(local)
  return binding === undefined || own === undefined ? undefined : judge(binding, own)
}
