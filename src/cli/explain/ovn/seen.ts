import type { DesiredAt } from '../../../datapath/desired.ts'
import { METADATA_PORT } from '../../../datapath/metadata-address.ts'
import { ovnDesired } from '../../../datapath/ovn/desired.ts'
import { OVN_PREFIX } from '../../../datapath/ovn/namespace.ts'
import type { ProxyConfig } from '../../../datapath/proxy.ts'
import type { PathFacts, RecordFacts } from '../../../explain/facts.ts'
import type { MetadataPort, SwitchFacts } from '../../../explain/ovn/facts.ts'
import { hasIpv6 } from '../../../host/ipv6.ts'
import { contains, type IpAddress, ipVersion, parseCidr, parseIpAddress } from '../../../inventory/records/address.ts'
import { localNetworks } from '../../../metadata-agent/ovn/local-networks.ts'
import type { Wanted } from '../find-port.ts'
import { recordFacts } from '../path.ts'
import type { Databases } from './databases.ts'
import type { OvnInventory } from './inventory.ts'
import { southboundRecords } from './records.ts'
import { metadataPortsOf } from './southbound.ts'
import { type Asked, chosen, type PortRow } from './subject.ts'
import { switchFacts } from './switch.ts'
import { PORT_BINDING } from './tables.ts'
import { metadataAddressOf } from './way.ts'

type Records = Omit<RecordFacts, 'found'>

/** What the databases say of one guest. */
export interface Seen {
  /** undefined: OVN has no such port, or cannot be asked. */
  readonly row: PortRow | undefined
  readonly records: Records
  /** The metadata port of its network. */
  readonly metadata: MetadataPort | undefined
  readonly path: PathFacts
  /** What the daemon wants of this host; undefined: nobody can know. */
  readonly desired: DesiredAt | undefined
  /** undefined: Open vSwitch cannot be asked. */
  readonly own: SwitchFacts | undefined
}

/** @param config  of what the daemon has answer in the namespaces
 *  @throws UsageError when nobody, or several, are meant */
export function lookAtGuest(
  databases: Databases,
  asked: Asked,
  inventory: OvnInventory | undefined,
  config: ProxyConfig,
): Seen {
  const { southbound, local, chassisName } = databases
  const row = southbound && rowOf(southbound, asked, inventory?.wanted)
  const [metadata] = southbound === undefined || row === undefined ? [] : metadataPortsOf(southbound, row.datapath)
  const records =
    inventory !== undefined
      ? recordFacts(inventory.inventory, inventory.wanted)
      : southboundRecords(southbound, row, metadata?.logicalPort)
  const own = local && switchFacts(local, row?.logical_port ?? asked.wanted, metadata?.logicalPort)
  const networks = southbound && chassisName !== undefined ? localNetworks(southbound, chassisName) : undefined
  const desired = networks && own && ovnDesired(networks, { ...config, bridge: own.bridge, hasIpv6: hasIpv6() })
  return { row, records, metadata, own, desired, path: pathOf(records, metadata, desired) }
}

function rowOf(southbound: NonNullable<Databases['southbound']>, asked: Asked, wanted: Wanted | undefined) {
  return wanted === undefined ? chosen(southbound, asked) : southbound.find(PORT_BINDING, 'byName', asked.wanted)[0]
}

function pathOf(
  { network, fixedIp }: Records,
  metadata: MetadataPort | undefined,
  desired: DesiredAt | undefined,
): PathFacts {
  const netns = network && `${OVN_PREFIX}${network.id}`
  const decision = desired?.decisions.find((each) => each.netns === netns)
  return {
    kind: 'ovn',
    netns,
    // Over IPv6 it is on the link.
    nextHop: fixedIp && ipVersion(fixedIp.ipAddress) === 4 ? addressNear(metadata, fixedIp.ipAddress) : undefined,
    listensOn: { address: metadataAddressOf(fixedIp), port: METADATA_PORT },
    because: decision?.because ?? 'no guest of the network is known to be here',
    isDhcpServed: false,
  }
}

/** The metadata port's address in a guest's subnet. */
function addressNear(metadata: MetadataPort | undefined, guest: IpAddress): IpAddress | undefined {
  const near = metadata?.cidrs.find((text) => {
    const cidr = parseCidr(text)
    return cidr !== undefined && contains(cidr, guest)
  })
  return near === undefined ? undefined : parseIpAddress(near.slice(0, near.indexOf('/')))
}
