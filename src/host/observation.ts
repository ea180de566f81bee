import { type Cidr, eui64Address } from '../inventory/records/address.ts'
import type { ObservedBridge, ObservedDevice } from './host.ts'
import { bridgeOwner } from './mark.ts'
import type { Route } from './namespace.ts'
import type { NetnsState } from './netns-reader.ts'
import type { PortSwitch } from './port-switch.ts'
import type { Link } from './rtnetlink.ts'

/** What netlink says, in the words of the plan. Pure. */

type Links = ReadonlyMap<number, Link>
type Bridges = ReadonlyMap<string, ObservedBridge>

/** Works them out anew only for other links. */
export function bridgesReader(prefix: string, mark: string): (links: Links) => Bridges {
  let last: { readonly links: Links; readonly bridges: Bridges } | undefined
  return (links) => {
    if (last?.links !== links) last = { links, bridges: bridgesOf([...links.values()], prefix, mark) }
    return last.bridges
  }
}

function bridgesOf(links: readonly Link[], prefix: string, mark: string): Bridges {
  const ports = Map.groupBy(links, ({ master }) => master)
  return new Map(
    links
      .filter(({ name, kind }) => kind === 'bridge' && name.startsWith(prefix))
      .map(({ index, name, mtu, up, alias }) => [
        name,
        {
          name,
          mtu,
          up,
          owner: bridgeOwner({ alias }, mark),
          ports: (ports.get(index) ?? []).map((port) => port.name),
        },
      ]),
  )
}

/** @param outside  the links of the host's namespace, by index */
export function devicesOf(
  inside: NetnsState,
  outside: ReadonlyMap<number, Link>,
  ports: Pick<PortSwitch, 'port'>,
): readonly ObservedDevice[] {
  return inside.links.flatMap((link) => {
    if (link.kind !== 'veth' || link.mac === undefined) return []
    const peer = outside.get(link.peer)
    return [
      {
        name: link.name,
        peer: peer?.name ?? '',
        bridge: (peer && outside.get(peer.master)?.name) ?? '',
        ...(peer && ports.port(peer.name)),
        mac: link.mac,
        mtu: link.mtu,
        addresses: addressesOf(link, inside),
        up: link.up && (peer?.up ?? false),
        ...(inside.offloading.has(link.index) && { offloads: true }),
      },
    ]
  })
}

const LINK_LOCAL = 'fe80::/64' as Cidr

/** Without the one the kernel makes of the MAC. */
function addressesOf({ index, mac }: Link, { addresses }: NetnsState): readonly string[] {
  const own = mac === undefined ? undefined : eui64Address(LINK_LOCAL, mac)
  return addresses
    .filter(({ link, address }) => link === index && address !== own)
    .map(({ address, prefix }) => `${address}/${prefix}`)
}

export function routesOf({ links, routes }: NetnsState): readonly Route[] {
  const names = new Map(links.map(({ index, name }) => [index, name]))
  return routes.map(({ destination, gateway, link }) => ({ destination, gateway, device: names.get(link) ?? '' }))
}
