import { type Fault, knownOf, type Spot } from '../fault.ts'
import type { OvnFacts, Traced, TracedQuestion } from './facts.ts'

const METADATA_ROUTE = '169.254.169.254/32'
/** ovn-northd puts ACLs so much higher than the Northbound says, since it has flows of its own below. */
const ACL_OFFSET = 1_000

/** What OVN's flows make of the guest's packets. */
export const flowFaults: readonly Fault<OvnFacts>[] = [
  {
    id: 'ovn-dhcp-missing',
    step: 'dhcp',
    severity: 'risk',
    symptom: 'a guest that asks for a lease gets none',
    cause: 'the port has no DHCP options: its subnet has no DHCP, or somebody took them away',
    recognised: 'in ovn-trace no flow answers a DHCPDISCOVER of the guest',
    expected: 'OVN offers the guest its address',
    mend: 'set enable_dhcp on the subnet, or give the guest a config drive; ovn-nbctl lsp-get-dhcpv4-options PORT',
    judge: ({ ovn: { traces }, records: { fixedIp } }) => {
      const { offer } = knownOf(traces) ?? {}
      return offer !== undefined && 'value' in offer && offer.value === undefined
        ? `nothing is offered to ${fixedIp?.ipAddress ?? 'the guest'}`
        : undefined
    },
  },
  {
    id: 'metadata-route-missing',
    step: 'dhcp',
    severity: 'broken',
    symptom: 'the guest has a lease and no route to 169.254.169.254, or a wrong one',
    cause: 'the DHCP options of the port lack the metadata route, or have another address than the metadata port’s',
    recognised: 'in ovn-trace the offer’s classless_static_route lacks 169.254.169.254/32, or has another gateway',
    expected: 'the lease has a route to 169.254.169.254 by the metadata port',
    mend: 'neutron-ovn-db-sync-util writes it anew; ovn-nbctl dhcp-options-get-options UUID shows it (a default route belongs into it, too)',
    judge: ({ ovn: { traces, southbound } }) => {
      const { offer: asked = { unknown: '' } } = knownOf(traces) ?? {}
      const offer = knownOf(asked)
      const [port] = knownOf(southbound)?.metadataPorts ?? []
      if (offer === undefined || port === undefined) return undefined
      const gateway = offer.routes.get(METADATA_ROUTE)
      if (gateway !== undefined && port.cidrs.some((cidr) => cidr.startsWith(`${gateway}/`))) return undefined
      return gateway === undefined
        ? `the lease of ${offer.address} has no route to 169.254.169.254`
        : `the lease sends 169.254.169.254 to ${gateway}, the metadata port has ${port.cidrs.join(', ') || 'no address'}`
    },
  },
  {
    id: 'acl-drops',
    step: 'trace',
    severity: 'broken',
    symptom: '169.254.169.254 times out',
    cause: 'a security rule drops what the guest asks, or the answer',
    recognised: 'ovn-trace ends in a stage of ACLs',
    expected:
      'security rules let the guest ask 169.254.169.254 (fe80::a9fe:a9fe where it has no IPv4), and be answered',
    mend: 'take the rule away: openstack security group rule list; ovn-nbctl acl-list neutron-NETWORK, and of its port groups',
    judge: ({ ovn: { traces } }) => {
      const found = knownOf(traces)
      return found && packets(found).flatMap(([what, packet]) => dropped(what, packet, true))
    },
  },
  {
    id: 'flows-drop',
    step: 'trace',
    severity: 'broken',
    symptom: '169.254.169.254 times out',
    cause: 'flows of OVN drop what the guest asks, or the answer: port security, a disabled port',
    recognised: 'ovn-trace ends in a drop that is no ACL’s',
    expected: 'a packet from the guest reaches the metadata port, and the answer the guest',
    mend: 'compare addresses and port security of the port: ovn-nbctl lsp-get-addresses PORT, lsp-get-port-security PORT',
    judge: ({ ovn: { traces } }) => {
      const found = knownOf(traces)
      return found && packets(found).flatMap(([what, packet]) => dropped(what, packet, false))
    },
  },
  {
    id: 'trace-astray',
    step: 'trace',
    severity: 'broken',
    isSymptom: true,
    symptom: '169.254.169.254 times out',
    cause: 'OVN has no flows that bring the guest’s request to the metadata port',
    recognised: 'ovn-trace ends nowhere, or in another port',
    expected: 'a packet from the guest reaches the metadata port, and the answer the guest',
    mend: 'ovn-trace shows each stage; look whether ovn-northd runs and the port is enabled',
    judge: ({ ovn: { traces, southbound } }) => {
      const found = knownOf(traces)
      const { binding, metadataPorts = [] } = knownOf(southbound) ?? {}
      if (found === undefined || binding === undefined) return undefined
      const wanted = [metadataPorts[0]?.logicalPort, binding.logicalPort]
      return packets(found).flatMap(([what, packet], i) => astray(what, packet, wanted[i]))
    },
  },
]

function packets({ address, request, answer }: TracedQuestion): readonly (readonly [string, Traced])[] {
  return [
    [`the request to ${address}`, request],
    [`the answer of ${address}`, answer],
  ]
}

function dropped(what: string, packet: Traced, isAcl: boolean): readonly Spot[] {
  if (packet.outcome !== 'drop' || /acl/.test(packet.stage) !== isAcl) return []
  const { stage, match, priority } = packet
  return [`${what} is dropped in ${stage} by ${match} (priority ${isAcl ? priority - ACL_OFFSET : priority})`]
}

function astray(what: string, packet: Traced, wanted: string | undefined): readonly Spot[] {
  if (packet.outcome === 'lost') return [`${what} ends in ${packet.stage}`]
  return packet.outcome === 'output' && packet.port !== wanted
    ? [`${what} goes to ${packet.port}, not to ${wanted}`]
    : []
}
