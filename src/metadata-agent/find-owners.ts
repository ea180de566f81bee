import { type IpAddress, ipVersion, isLinkLocal, macOfEui64 } from '../inventory/records/address.ts'
import { DirectoryUnavailable } from './errors.ts'
import type { FoundPort, Freshness, PortDirectory } from './port-directory.ts'
import type { Origin } from './resolve.ts'

/** Ports behind an address. */
export interface Owners {
  readonly ports: readonly FoundPort[]
  /** What several have in common, for the log: `ports a, b all have ADDRESS`. */
  readonly how: string
  /** What was tried in vain, for the log. */
  readonly why: readonly string[]
}

interface Asked extends Origin {
  readonly directory: PortDirectory
  readonly freshness: Freshness
}

interface Way {
  readonly how: Owners['how']
  /** @returns a sentence why there are none; an empty one where nothing is to be said */
  readonly find: (asked: Asked) => Promise<readonly FoundPort[] | string>
}

/** The first that finds anybody counts. A MAC address in the address comes before the neighbour table, which holds what
 *  neighbours say of themselves and costs a look-up of its own. */
const WAYS: readonly Way[] = [
  { how: 'all have', find: byFixedIp },
  { how: 'all have the MAC address in', find: byEui64 },
  { how: 'have all been heard with', find: byNeighbour },
  { how: 'all name in their allowed address pairs', find: byPair },
]

/** @throws NotReady while the directory does not know yet; DirectoryUnavailable when it cannot be asked */
export async function findOwners(origin: Origin, directory: PortDirectory, freshness: Freshness): Promise<Owners> {
  const why: string[] = []
  for (const { how, find } of WAYS) {
    const found = await find({ ...origin, directory, freshness })
    if (typeof found === 'string') why.push(found)
    else if (found.length > 0) return { ports: found, how, why }
  }
  return { ports: [], how: '', why: why.filter((each) => each !== '') }
}

async function byFixedIp({ directory, within, address, freshness }: Asked) {
  return isIpv6LinkLocal(address) ? '' : directory.find(within, { fixedIp: address }, freshness)
}

async function byEui64({ directory, within, address, freshness }: Asked) {
  if (!isIpv6LinkLocal(address)) return ''
  const mac = macOfEui64(address)
  if (mac === undefined) return 'it shows no MAC address'
  const found = await directory.find(within, { mac }, freshness)
  return found.length > 0 ? found : `${mac} in it is no port’s`
}

/** Each MAC address is looked for within the place the request came from, like one in the address. */
async function byNeighbour({ directory, within, address, freshness }: Asked) {
  if (!isIpv6LinkLocal(address)) return ''
  const macs = await directory.heardAs?.(within, address)
  if (macs === undefined) return 'no neighbour table can be read'
  // The kernel has forgotten it since it answered the connection's first packet: with the next it knows it again.
  if (macs.length === 0) throw new DirectoryUnavailable(`${address} is in no neighbour table any more`)
  const found = await Promise.all(macs.map((mac) => directory.find(within, { mac }, freshness)))
  const ports = new Map(found.flat().map((port) => [port.id, port]))
  return ports.size > 0 ? [...ports.values()] : `it was heard with ${macs.join(', ')}, which is no port’s`
}

async function byPair({ directory, within, address, freshness }: Asked) {
  return (await directory.findByAddressPair?.(within, address, freshness)) ?? ''
}

/** IPv4 has a range of that name, and ports may have fixed IPs in it. */
function isIpv6LinkLocal(address: IpAddress): boolean {
  return ipVersion(address) === 6 && isLinkLocal(address)
}
