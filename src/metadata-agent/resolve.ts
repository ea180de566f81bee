import type { Headers } from '../http/messages.ts'
import {
  type IpAddress,
  ipVersion,
  isLinkLocal,
  macOfEui64,
  parseIpAddress,
  unmapped,
} from '../inventory/records/address.ts'
import type { InstanceId, NetworkId, ProjectId, RouterId } from '../inventory/records/ids.ts'
import { isInstancePort } from '../inventory/records/port.ts'
import { BadOrigin, InstanceUnknown } from './errors.ts'
import type { Client, Freshness, PortDirectory, Within } from './port-directory.ts'

/** Which instance asks, and from which address. */
export interface Resolved {
  readonly instanceId: InstanceId
  readonly projectId: ProjectId
  readonly address: IpAddress
}

/** Where a request came from, by the headers the proxy set. */
export interface Origin {
  readonly within: Within
  readonly address: IpAddress
}

/** The headers that say where a request came from: neutron's proxies of each path set their own. */
const ORIGINS: readonly { readonly name: string; readonly field: string; readonly within: (id: string) => Within }[] = [
  { name: 'X-Neutron-Network-ID', within: (id: string) => ({ networkId: id as NetworkId }) },
  { name: 'X-Neutron-Router-ID', within: (id: string) => ({ routerId: id as RouterId }) },
  { name: 'X-OVN-Network-ID', within: (id: string) => ({ networkId: id as NetworkId }) },
].map((origin) => ({ ...origin, field: origin.name.toLowerCase() }))

/**
 * Reads the proxy's headers. Exactly one of the network and router headers must be there (an empty one counts as
 * absent); more is treated as spoofing. Where a real haproxy stands before us, a guest's own X-Forwarded-For comes
 * first and haproxy's last, so the last address counts.
 *
 * @throws BadOrigin  neutron's agent ends in a 500 or a closed connection here
 */
export function readOrigin(headers: Headers): Origin {
  const [origin, second] = ORIGINS.filter(({ field }) => headers.get(field))
  if (second !== undefined) throw new BadOrigin(`Both ${origin?.name} and ${second.name} are present in request.`)
  if (origin === undefined)
    throw new BadOrigin(`None of ${ORIGINS.map(({ name }) => name).join(', ')} is present in request.`)
  const id = headers.get(origin.field) ?? ''
  if (id.includes(',')) throw new BadOrigin(`${origin.name} is present more than once.`)
  if (!PLAIN_ID.test(id)) throw new BadOrigin(`${origin.name} is no id.`)

  const forwardedFor = headers.get('x-forwarded-for')
  if (forwardedFor === undefined) throw new BadOrigin('X-Forwarded-For header is missing from request.')
  const address = parseIpAddress(forwardedFor.slice(forwardedFor.lastIndexOf(',') + 1).trim())
  if (address === undefined) throw new BadOrigin('X-Forwarded-For is not an IP address.')
  return {
    within: origin.within(id),
    // A socket bound to :: shows IPv4 peers in mapped form.
    address: unmapped(address),
  }
}

/**
 * Finds which instance a request came from: the one port with this address behind this network or router, if an
 * instance owns it. An address that is nobody's fixed one is that of the one port whose allowed address pairs name it.
 * DHCP and router ports answer to nobody (neutron's agent passes their names on to nova).
 *
 * @param freshness  `new` when the metadata API does not know the instance that was found first: its address may have
 *   gone to another port
 * @throws InstanceUnknown when no port matches, several do, or the port belongs to no instance
 * @throws NotReady while the directory does not know yet; DirectoryUnavailable when it cannot be asked
 */
export async function resolveInstance(
  { within, address }: Origin,
  directory: PortDirectory,
  freshness: Freshness = 'kept',
): Promise<Resolved> {
  const client = clientOf(address)
  const owners = await directory.find(within, client, freshness)
  const found =
    owners.length > 0 || 'mac' in client
      ? owners
      : ((await directory.findByAddressPair?.(within, address, freshness)) ?? [])
  const [port, second] = found
  if (port === undefined) throw new InstanceUnknown(`no port has ${address} ${describe(within)}`)
  if (second !== undefined) {
    const how = owners.length > 0 ? 'all have' : 'all name in their allowed address pairs'
    throw new InstanceUnknown(`ports ${found.map(({ id }) => id).join(', ')} ${how} ${address} ${describe(within)}`)
  }
  if (!isInstancePort(port))
    throw new InstanceUnknown(`port ${port.id} belongs to no instance (owner ${port.deviceOwner || 'none'})`)
  // Whoever may make a port may write anything there.
  if (!PLAIN_ID.test(port.deviceId)) throw new InstanceUnknown(`port ${port.id} has a device that is no instance’s id`)
  return { instanceId: port.deviceId as InstanceId, projectId: port.projectId, address }
}

/** What an instance's, a network's or a router's id is made of. */
const PLAIN_ID = /^[0-9A-Za-z_-]{1,64}$/

function clientOf(address: IpAddress): Client {
  if (ipVersion(address) === 4 || !isLinkLocal(address)) return { fixedIp: address }
  const mac = macOfEui64(address)
  if (mac === undefined) throw new InstanceUnknown(`${address} is link-local and does not show a MAC address`)
  return { mac }
}

function describe(within: Within): string {
  return 'networkId' in within ? `on network ${within.networkId}` : `behind router ${within.routerId}`
}
