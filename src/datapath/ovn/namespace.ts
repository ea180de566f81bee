import type { Listener } from '../../host/namespace.ts'
import { contains, type IpAddress, ipVersion, type MacAddress, parseCidr } from '../../inventory/records/address.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import { METADATA_IPV4, METADATA_IPV6, METADATA_PORT } from '../metadata-address.ts'

export const OVN_PREFIX = 'ovnmeta-'

/** What OVN's databases say of a network that has guests on this chassis. */
export interface OvnNetwork {
  readonly id: NetworkId
  readonly metadataPort: {
    readonly logicalPort: string
    readonly mac: MacAddress
    /** `address/prefix`, host bits kept. */
    readonly cidrs: readonly string[]
    /** Bytes; null leaves the kernel's. */
    readonly mtu: number | null
  }
  readonly guestAddresses: readonly IpAddress[]
}

/** What the metadata of one OVN network needs on this chassis: a namespace, a veth pair into the integration bridge, and
 *  sockets. There is no default route: replies go to subnets on the link. */
export interface OvnNamespace {
  /** `ovnmeta-<network>`. */
  readonly name: string
  /** The end inside. The link-local address that the kernel makes of the MAC is not among its addresses. */
  readonly device: {
    readonly name: string
    readonly peer: string
    readonly mac: MacAddress
    readonly mtu: number | null
    readonly addresses: readonly string[]
  }
  /** The other end, as a port of Open vSwitch. */
  readonly ovsPort: { readonly name: string; readonly bridge: string; readonly ifaceId: string }
  readonly listeners: readonly Listener[]
}

/**
 * The namespaces that this chassis must carry, by name. Pure.
 * @param hasIpv6  the kernel has IPv6 at all
 */
export function ovnNamespaces(
  networks: readonly OvnNetwork[],
  config: { readonly bridge: string; readonly hasIpv6: boolean },
): ReadonlyMap<string, OvnNamespace> {
  const pairs = deviceNames(networks.map(({ id }) => id))
  return new Map(
    networks.map((network) => {
      const pair = pairs.get(network.id) ?? network.id
      return [`${OVN_PREFIX}${network.id}`, ovnNamespace(network, pair, config)] as const
    }),
  )
}

function ovnNamespace(
  { id, metadataPort, guestAddresses }: OvnNetwork,
  pair: string,
  config: { readonly bridge: string; readonly hasIpv6: boolean },
): OvnNamespace {
  const device = `${pair}1`
  const hasIpv6 = config.hasIpv6 && guestAddresses.some((address) => ipVersion(address) === 6)
  const listener = (address: IpAddress, of: string | null): Listener => ({
    address,
    port: METADATA_PORT,
    device: of,
    stamp: { networkId: id },
  })
  return {
    name: `${OVN_PREFIX}${id}`,
    device: {
      name: device,
      peer: `${pair}0`,
      mac: metadataPort.mac,
      mtu: metadataPort.mtu,
      addresses: [
        ...metadataPort.cidrs.filter((cidr) => isNeeded(cidr, guestAddresses)),
        `${METADATA_IPV4}/32`,
        ...(hasIpv6 ? [`${METADATA_IPV6}/64`] : []),
      ],
    },
    ovsPort: { name: `${pair}0`, bridge: config.bridge, ifaceId: metadataPort.logicalPort },
    listeners: [listener(METADATA_IPV4, null), ...(hasIpv6 ? [listener(METADATA_IPV6, device)] : [])],
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
