import type { IpAddress } from '../../records/address.ts'
import type { NetworkId } from '../../records/ids.ts'
import type { Subnet } from '../../records/subnet.ts'
import type { Path } from '../problem.ts'
import type { FixedIpItem } from '../schema.ts'
import { choice, subnetWith } from './addresses.ts'
import { isAutomatic, labelOf } from './networks.ts'
import type { Planning } from './planning.ts'

/** One address that somebody is to have: a certain one, or any of the first of these subnets that has one free. */
export interface Wish {
  readonly at: Path
  readonly candidates: readonly Subnet[]
  readonly address?: IpAddress
}

/**
 * What a port gets that does not say: one address of each family, and one in each subnet where guests make their own.
 * @see neutron/db/ipam_pluggable_backend.py _allocate_ips_for_port, behaviour as of 2022.2
 */
export function defaultWishes(network: NetworkId, at: Path, planning: Planning): readonly Wish[] {
  const subnets = planning.subnetsOf(network)
  const assigned = subnets.filter(({ ipv6AddressMode }) => !isAutomatic(ipv6AddressMode))
  const families = [4, 6].map((version) => assigned.filter(({ ipVersion }) => ipVersion === version))
  const chosen = families.filter((candidates) => candidates.length > 0).map((candidates) => ({ at, candidates }))
  return [...chosen, ...impliedWishes(network, [], at, planning)]
}

/** Every port on a network with SLAAC has an address there, asked for or not. @param asked  what was asked for */
function impliedWishes(network: NetworkId, asked: readonly Wish[], at: Path, planning: Planning): readonly Wish[] {
  const subnets = new Set(asked.flatMap(({ candidates }) => candidates))
  return planning
    .subnetsOf(network)
    .filter((subnet) => isAutomatic(subnet.ipv6AddressMode) && !subnets.has(subnet))
    .map((subnet) => ({ at, candidates: [subnet] }))
}

/** What an item's `fixed_ips` asks for. undefined after reporting what cannot be. */
export function explicitWishes(
  network: NetworkId,
  items: readonly FixedIpItem[],
  planning: Planning,
): readonly Wish[] | undefined {
  const wishes = items.map((item) => explicitWish(network, item, planning))
  const found = wishes.filter((wish) => wish !== undefined)
  if (found.length < wishes.length) return undefined
  const [first] = items
  return first === undefined ? [] : [...found, ...impliedWishes(network, found, first.at, planning)]
}

function explicitWish(network: NetworkId, item: FixedIpItem, planning: Planning): Wish | undefined {
  const { subnet: reference, ip_address: address, at } = item
  if (reference === undefined) {
    if (address !== undefined) return addressWish(network, address, [...at, 'ip_address'], planning)
    planning.report(at, 'needs a subnet, an ip_address, or both')
    return undefined
  }
  const id = planning.resolve('subnet', reference, [...at, 'subnet'], network)
  const subnet = id === undefined ? undefined : planning.draft.subnet.get(id)
  if (subnet === undefined) return undefined
  if (subnet.networkId !== network) {
    planning.report([...at, 'subnet'], `${labelOf(subnet)} is on another network; choose ${choices(network, planning)}`)
    return undefined
  }
  return { at: address === undefined ? at : [...at, 'ip_address'], candidates: [subnet], ...(address && { address }) }
}

/** What an item's `fixed_ip` asks for. undefined after reporting that it cannot be. */
export function singleWish(
  network: NetworkId,
  address: IpAddress,
  at: Path,
  planning: Planning,
): readonly Wish[] | undefined {
  const wish = addressWish(network, address, at, planning)
  return wish === undefined ? undefined : [wish, ...impliedWishes(network, [wish], at, planning)]
}

/** The wish for one address on a network, in whichever subnet it is. */
function addressWish(network: NetworkId, address: IpAddress, at: Path, planning: Planning): Wish | undefined {
  const subnets = planning.subnetsOf(network)
  const subnet = subnetWith(subnets, address)
  if (subnet !== undefined) return { at, candidates: [subnet], address }
  if (!planning.unsure.has(network)) planning.report(at, outside(address, network, subnets, planning))
  return undefined
}

function outside(address: IpAddress, network: NetworkId, subnets: readonly Subnet[], planning: Planning): string {
  const [only, ...others] = subnets
  const name = planning.draft.network.get(network)?.name ?? network
  if (only === undefined) return `${address} cannot be given: network ${JSON.stringify(name)} has no subnet`
  if (others.length === 0) return `${address} is outside ${labelOf(only)}; ${choice(only)}`
  return `${address} is in no subnet of network ${JSON.stringify(name)}; choose an address of ${choices(network, planning)}`
}

function choices(network: NetworkId, planning: Planning): string {
  return planning.subnetsOf(network).map(labelOf).join(' or ') || 'one of its own (it has none)'
}
