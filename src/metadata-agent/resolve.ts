import type { Headers } from '../http/messages.ts'
import { type IpAddress, parseIpAddress, unmapped } from '../inventory/records/address.ts'
import type { InstanceId, NetworkId, PortId, ProjectId, RouterId } from '../inventory/records/ids.ts'
import { isInstancePort } from '../inventory/records/port.ts'
import { BadOrigin, InstanceUnknown } from './errors.ts'
import { findOwners } from './find-owners.ts'
import type { Freshness, PortDirectory, Within } from './port-directory.ts'

/** Which instance asks, and from which address. */
export interface Resolved {
  readonly instanceId: InstanceId
  readonly projectId: ProjectId
  readonly address: IpAddress
}

/** The same, with its port there. */
export interface ResolvedPort extends Resolved {
  readonly portId: PortId
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
 * instance owns it. A link-local one is that of the port whose MAC address it shows, or was heard with. An address that is
 * nobody's else is that of the one port whose allowed address pairs name it.
 * DHCP and router ports answer to nobody (neutron's agent passes their names on to nova).
 *
 * @param freshness  `new` when the metadata API does not know the instance that was found first: its address may have
 *   gone to another port
 * @throws InstanceUnknown when no port matches, several do, or the port belongs to no instance
 * @throws NotReady while the directory does not know yet; DirectoryUnavailable when it cannot be asked
 */
export async function resolveInstance(
  origin: Origin,
  directory: PortDirectory,
  freshness: Freshness = 'kept',
): Promise<ResolvedPort> {
  const { within, address } = origin
  const owners = await findOwners(origin, directory, freshness)
  const [port, second] = owners.ports
  if (port === undefined) throw new InstanceUnknown(nobody(origin, owners.why))
  if (second !== undefined) {
    const ids = owners.ports.map(({ id }) => id).join(', ')
    throw new InstanceUnknown(`ports ${ids} ${owners.how} ${address} ${describe(within)}`)
  }
  if (!isInstancePort(port))
    throw new InstanceUnknown(`port ${port.id} belongs to no instance (owner ${port.deviceOwner || 'none'})`)
  // Whoever may make a port may write anything there.
  if (!PLAIN_ID.test(port.deviceId)) throw new InstanceUnknown(`port ${port.id} has a device that is no instance’s id`)
  return { instanceId: port.deviceId as InstanceId, projectId: port.projectId, address, portId: port.id }
}

/** What an instance's, a network's or a router's id is made of. */
const PLAIN_ID = /^[0-9A-Za-z_-]{1,64}$/

function nobody({ within, address }: Origin, why: readonly string[]): string {
  const known = `no port has ${address} ${describe(within)}`
  return why.length === 0 ? known : `${known}: ${why.join('; ')}`
}

function describe(within: Within): string {
  return 'networkId' in within ? `on network ${within.networkId}` : `behind router ${within.routerId}`
}
