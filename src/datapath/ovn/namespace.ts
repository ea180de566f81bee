import { type Listener, type Namespace, NO_FIREWALL } from '../../host/namespace.ts'
import { contains, type IpAddress, ipVersion, type MacAddress, parseCidr } from '../../inventory/records/address.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import { METADATA_IPV4, METADATA_IPV6, METADATA_PORT } from '../metadata-address.ts'
import { type ProxyConfig, proxyOf } from '../proxy.ts'

export const OVN_PREFIX = 'ovnmeta-'

/** What OVN's databases say of a network that has guests on this chassis. */
export interface OvnNetwork {
  readonly id: NetworkId
  readonly name: string
  readonly metadataPort: {
    readonly logicalPort: string
    readonly mac: MacAddress
    /** `address/prefix`, host bits kept. */
    readonly cidrs: readonly string[]
    /** Bytes; null where nobody says, as in clouds before Neutron 2023.1. */
    readonly mtu: number | null
  }
  readonly guestAddresses: readonly IpAddress[]
}

export interface OvnConfig extends ProxyConfig {
  /** The integration bridge. */
  readonly bridge: string
  /** The kernel has IPv6 at all. */
  readonly hasIpv6: boolean
}

/** What the kernel gives a veth pair. */
const USUAL_MTU = 1500

/** The namespaces that this chassis must carry: of each network one, with a veth pair into the integration bridge, and
 *  sockets or a haproxy. There is no default route: replies go to subnets on the link. Pure. */
export function ovnNamespaces(networks: readonly OvnNetwork[], config: OvnConfig): readonly Namespace[] {
  const pairs = deviceNames(networks.map(({ id }) => id))
  return networks.map((network) => ovnNamespace(network, pairs.get(network.id) ?? network.id, config))
}

function ovnNamespace({ id, metadataPort, guestAddresses }: OvnNetwork, pair: string, config: OvnConfig): Namespace {
  const device = `${pair}1`
  const hasIpv6 = config.hasIpv6 && guestAddresses.some((address) => ipVersion(address) === 6)
  const listener = (address: IpAddress, of: string | null): Listener => ({
    address,
    port: METADATA_PORT,
    device: of,
    stamp: { networkId: id },
  })
  const listeners = [listener(METADATA_IPV4, null), ...(hasIpv6 ? [listener(METADATA_IPV6, device)] : [])]
  return {
    name: `${OVN_PREFIX}${id}`,
    sysctls: {},
    devices: [
      {
        name: device,
        peer: `${pair}0`,
        bridge: config.bridge,
        ifaceId: metadataPort.logicalPort,
        mac: metadataPort.mac,
        mtu: metadataPort.mtu ?? USUAL_MTU,
        addresses: [
          ...metadataPort.cidrs.filter((cidr) => isNeeded(cidr, guestAddresses)),
          `${METADATA_IPV4}/32`,
          ...(hasIpv6 ? [`${METADATA_IPV6}/64`] : []),
        ],
      },
    ],
    routes: [],
    firewall: NO_FIREWALL,
    ...proxyOf(id, listeners, { ...config, networkHeader: 'X-OVN-Network-ID' }),
  }
}

/** Only IPv4, where replies need a route to the guest, and only subnets with a guest here: a network of hundreds of
 *  subnets took the field minutes (LP#1981113). IPv6 guests are on the link by their link-local address. */
function isNeeded(text: string, guests: readonly IpAddress[]): boolean {
  const cidr = parseCidr(text)
  return cidr !== undefined && ipVersion(cidr) === 4 && guests.some((guest) => contains(cidr, guest))
}

/**
 * The names of the veth pairs, without the digit that tells their ends apart: `tap` and ten characters of the network's id,
 * as in the field. Where two networks here begin alike (neutron's agent gives both one name, and both lose metadata), all but
 * the first are named by the end of their id.
 */
function deviceNames(ids: readonly NetworkId[]): ReadonlyMap<NetworkId, string> {
  const names = new Map<NetworkId, string>()
  const taken = new Set<string>()
  for (const id of ids.toSorted()) {
    const candidates = [id.slice(0, 10), id.slice(-10), ...Array.from({ length: ids.length }, (_, i) => `x${i}`)]
    const name = `tap${candidates.find((candidate) => !taken.has(candidate))}`
    taken.add(name.slice('tap'.length))
    names.set(id, name)
  }
  return names
}
