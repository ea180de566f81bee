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
import type { Client, PortDirectory, Within } from './port-directory.ts'

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
const ORIGINS: readonly (readonly [header: string, within: (id: string) => Within])[] = [
  ['X-Neutron-Network-ID', (id) => ({ networkId: id as NetworkId })],
  ['X-Neutron-Router-ID', (id) => ({ routerId: id as RouterId })],
  ['X-OVN-Network-ID', (id) => ({ networkId: id as NetworkId })],
]

/**
 * Reads the proxy's headers. Exactly one of the network and router headers must be there (an empty one counts as
 * absent); more is treated as spoofing. Where a real haproxy stands before us, a guest's own X-Forwarded-For comes
 * first and haproxy's last, so the last address counts.
 *
 * @throws BadOrigin  neutron's agent ends in a 500 or a closed connection here
 */
export function readOrigin(headers: Headers): Origin {
  const present = ORIGINS.flatMap(([name, within]) => {
    const id = headers.get(name.toLowerCase()) ?? ''
    return id === '' ? [] : [{ name, id, within }]
  })
  const [origin, second] = present
  if (second !== undefined) throw new BadOrigin(`Both ${origin?.name} and ${second.name} are present in request.`)
  if (origin === undefined)
    throw new BadOrigin(`None of ${ORIGINS.map(([name]) => name).join(', ')} is present in request.`)
  if (origin.id.includes(',')) throw new BadOrigin(`${origin.name} is present more than once.`)

  const forwardedFor = headers.get('x-forwarded-for')
  if (forwardedFor === undefined) throw new BadOrigin('X-Forwarded-For header is missing from request.')
  const address = parseIpAddress(forwardedFor.slice(forwardedFor.lastIndexOf(',') + 1).trim())
  if (address === undefined) throw new BadOrigin('X-Forwarded-For is not an IP address.')
  return {
    within: origin.within(origin.id),
    // A socket bound to :: shows IPv4 peers in mapped form.
    address: unmapped(address),
  }
}

/**
 * Finds which instance a request came from: the one port with this address behind this network or router, if an
 * instance owns it. DHCP and router ports answer to nobody (neutron's agent passes their names on to nova).
 *
 * @throws InstanceUnknown when no port matches, several do, or the port belongs to no instance
 * @throws NotReady while the directory does not know yet
 */
export async function resolveInstance(origin: Origin, directory: PortDirectory): Promise<Resolved> {
  const found = await directory.find(origin.within, clientOf(origin.address))
  const [port, second] = found
  if (port === undefined) throw new InstanceUnknown(`no port has ${origin.address} ${describe(origin.within)}`)
  if (second !== undefined)
    throw new InstanceUnknown(`ports ${found.map((each) => each.id).join(', ')} all have ${origin.address}`)
  if (!isInstancePort(port))
    throw new InstanceUnknown(`port ${port.id} belongs to no instance (owner ${port.deviceOwner || 'none'})`)
  return { instanceId: port.deviceId as InstanceId, projectId: port.projectId, address: origin.address }
}

function clientOf(address: IpAddress): Client {
  if (ipVersion(address) === 4 || !isLinkLocal(address)) return { fixedIp: address }
  const mac = macOfEui64(address)
  if (mac === undefined) throw new InstanceUnknown(`${address} is link-local and does not show a MAC address`)
  return { mac }
}

function describe(within: Within): string {
  return 'networkId' in within ? `on network ${within.networkId}` : `behind router ${within.routerId}`
}
