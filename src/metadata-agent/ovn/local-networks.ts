import { type IpAddress, type MacAddress, parseIpAddress, parseMacAddress } from '../../inventory/records/address.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import type { RowOf, Rows, Uuid } from '../../ovsdb/ovsdb.ts'
import { localDatapaths } from './conditions.ts'
import {
  CHASSIS,
  chassisOf,
  DATAPATH_BINDING,
  fixedAddresses,
  isGuestPort,
  networkIdOf,
  PORT_BINDING,
  words,
} from './southbound.ts'

/** A network that a guest of this chassis is on, with what its metadata namespace is made of. */
export interface LocalNetwork {
  readonly id: NetworkId
  /** What its owner calls it; empty where ML2/OVN did not say. */
  readonly name: string
  /** The localport that ML2/OVN made for metadata. */
  readonly metadataPort: {
    /** `iface-id` of its interface. */
    readonly logicalPort: string
    readonly mac: MacAddress
    /** `address/prefix`, host bits kept. */
    readonly cidrs: readonly string[]
    /** Bytes; null when nobody says. */
    readonly mtu: number | null
  }
  /** Of the guests here. */
  readonly guestAddresses: readonly IpAddress[]
}

export interface LocalNetworks {
  readonly networks: readonly LocalNetwork[]
  /** Networks of guests here that cannot be served, and why. */
  readonly unserved: readonly { readonly network: string; readonly reason: string }[]
}

/**
 * The networks that need a metadata namespace on a chassis. Pure.
 * @returns undefined while it cannot be known: the chassis has no row, as when ovn-controller has not started yet or has
 *   just ended. What stands should stay, then; neutron's agent answers 404 at once
 */
export function localNetworks(rows: Rows, chassisName: string): LocalNetworks | undefined {
  const [chassis] = rows.find(CHASSIS, 'byName', chassisName)
  if (chassis === undefined) return undefined
  const read = localDatapaths(rows, chassis._uuid).map((datapath) => readNetwork(rows, datapath, chassis._uuid))
  return {
    networks: read.filter((network): network is LocalNetwork => network !== undefined && 'id' in network),
    unserved: read.filter((network): network is Unserved => network !== undefined && 'reason' in network),
  }
}

type Unserved = LocalNetworks['unserved'][number]

/** @returns undefined when nothing is to be served: no logical switch of a network, or no guest with an address */
function readNetwork(rows: Rows, datapath: Uuid, chassis: Uuid): LocalNetwork | Unserved | undefined {
  const row = rows.get(DATAPATH_BINDING, datapath)
  const id = row && networkIdOf(row)
  if (id === undefined) return undefined
  const ports = rows.find(PORT_BINDING, 'byDatapath', datapath)
  const here = ports.filter((port) => isGuestPort(port) && chassisOf(port).includes(chassis))
  const guestAddresses = [...new Set(here.flatMap(fixedAddresses))].sort()
  if (guestAddresses.length === 0) return undefined
  const [port] = metadataPorts(ports)
  if (port === undefined) return { network: id, reason: 'it has no metadata port (localport of network:distributed)' }
  const mac = metadataMac(port)
  if (mac === undefined) return { network: id, reason: `its metadata port ${port.logical_port} has no MAC address` }
  return {
    id,
    name: row?.external_ids.get('name2') ?? '',
    metadataPort: {
      logicalPort: port.logical_port,
      mac,
      cidrs: words(port.external_ids.get('neutron:cidrs') ?? '').filter(isCidr),
      mtu: mtuOf(port.external_ids.get('neutron:mtu')),
    },
    guestAddresses,
  }
}

/** Those of a network's ports that are for metadata: it may have other localports, such as the health monitor's of a load
 *  balancer. There should be one; of several the first is served, so that a restart does not take another. Pure. */
export function metadataPorts<P extends Pick<RowOf<typeof PORT_BINDING>, 'type' | 'external_ids' | 'logical_port'>>(
  ports: readonly P[],
): readonly P[] {
  return ports
    .filter(({ type, external_ids }) => type === 'localport' && external_ids.get('neutron:device_owner') === OWNER)
    .toSorted((a, b) => (a.logical_port < b.logical_port ? -1 : 1))
}

/** The first word of the first member: of a localport there is no other. */
export function metadataMac({ mac }: Pick<RowOf<typeof PORT_BINDING>, 'mac'>): MacAddress | undefined {
  return parseMacAddress(words(mac[0] ?? '')[0] ?? '')
}

const OWNER = 'network:distributed'

function isCidr(word: string): boolean {
  const slash = word.indexOf('/')
  return slash > 0 && parseIpAddress(word.slice(0, slash)) !== undefined && /^\d{1,3}$/.test(word.slice(slash + 1))
}

/** Empty text, as ML2/OVN writes it for some ports, says nothing. */
function mtuOf(value: string | undefined): number | null {
  const mtu = Number(value ?? '')
  return Number.isInteger(mtu) && mtu > 0 ? mtu : null
}
