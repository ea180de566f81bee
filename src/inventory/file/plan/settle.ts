import {
  contains,
  eui64Address,
  type IpAddress,
  ipVersion,
  lastAddress,
  type MacAddress,
  networkAddress,
  prefixLength,
} from '../../records/address.ts'
import type { NetworkId } from '../../records/ids.ts'
import type { FixedIp } from '../../records/port.ts'
import type { Subnet } from '../../records/subnet.ts'
import type { Path } from '../problem.ts'
import { type AddressBook, choice, poolsInWords } from './addresses.ts'
import { isAutomatic, labelOf } from './networks.ts'
import type { Planning } from './planning.ts'
import type { Wish } from './wishes.ts'

/** Somebody who is to have addresses on a network: a port, or a router's external gateway. */
export interface AddressRequest {
  /** Id of the port or router whose former addresses this request replaces. */
  readonly id: string
  readonly at: Path
  /** In words, for messages to others: `server web-1`. */
  readonly label: string
  readonly networkId: NetworkId
  readonly wishes: readonly Wish[]
  /** The MAC the file gives; null to have one assigned. A gateway has none of its own. */
  readonly mac: MacAddress | null | 'none'
  /** What it had on this network so far. */
  readonly former: { readonly macAddress?: MacAddress; readonly fixedIps: readonly FixedIp[] } | undefined
  /** Routers have the gateway's address; nobody else may. */
  readonly mayBeGateway: boolean
  /** Takes what was settled. Called only when all of it could be. */
  put(settled: Settled): void
}

export interface Settled {
  /** Empty text for a request without one. */
  readonly macAddress: MacAddress
  readonly fixedIps: readonly FixedIp[]
}

const NO_MAC = '' as MacAddress

interface Settling {
  readonly request: AddressRequest
  mac: MacAddress | undefined
  readonly fixedIps: (FixedIp | undefined)[]
  failed: boolean
}

/**
 * Gives everybody their addresses. First what the file says, for all; then what each had before; then what is new, in
 * order of the requests: so nothing that is assigned takes away what somebody asked for or has.
 */
export function settleAddresses(requests: readonly AddressRequest[], planning: Planning, book: AddressBook): void {
  const all = requests.map(
    (request): Settling => ({ request, mac: undefined, fixedIps: request.wishes.map(() => undefined), failed: false }),
  )
  for (const settling of all) takeGiven(settling, planning, book)
  for (const settling of all) keepFormer(settling, book)
  for (const settling of all) assignRest(settling, planning, book)
  for (const { request, mac, fixedIps, failed } of all) {
    const complete = fixedIps.filter((fixedIp) => fixedIp !== undefined)
    if (!failed) request.put({ macAddress: mac ?? NO_MAC, fixedIps: complete })
  }
}

function takeGiven(settling: Settling, planning: Planning, book: AddressBook): void {
  const { request } = settling
  const { networkId, mac, label } = request
  if (mac !== null && mac !== 'none') {
    const owner = book.ownerOf(networkId, mac)
    if (owner !== undefined) {
      planning.report(
        [...request.at, 'mac_address'],
        `${mac} is the MAC address of ${owner} on the same network; choose another`,
      )
      settling.failed = true
    } else {
      settling.mac = mac
      book.claim(networkId, mac, label)
    }
  }
  for (const [
    i,
    {
      address,
      candidates: [subnet],
      at,
    },
  ] of request.wishes.entries()) {
    if (address === undefined || subnet === undefined || isMadeByGuest(request, subnet)) continue
    const problem = unusable(address, subnet, request.mayBeGateway) ?? taken(address, subnet, book)
    if (problem === undefined) take(settling, i, subnet, address, book)
    else {
      planning.report(at, problem)
      settling.failed = true
    }
  }
}

function keepFormer(settling: Settling, book: AddressBook): void {
  const { request } = settling
  const { former, networkId, label } = request
  if (former === undefined) return
  const { macAddress } = former
  if (macAddress !== undefined && request.mac === null && book.ownerOf(networkId, macAddress) === undefined) {
    settling.mac = macAddress
    book.claim(networkId, macAddress, label)
  }
  const left = [...former.fixedIps]
  for (const [i, wish] of request.wishes.entries()) {
    if (settling.fixedIps[i] !== undefined || wish.address !== undefined) continue
    const found = left.findIndex(({ subnetId, ipAddress }) => {
      const subnet = wish.candidates.find(({ id }) => id === subnetId)
      return (
        subnet !== undefined &&
        !isMadeByGuest(request, subnet) &&
        (unusable(ipAddress, subnet, request.mayBeGateway) ?? taken(ipAddress, subnet, book)) === undefined
      )
    })
    const [kept] = found < 0 ? [] : left.splice(found, 1)
    const subnet = wish.candidates.find(({ id }) => id === kept?.subnetId)
    if (kept !== undefined && subnet !== undefined) take(settling, i, subnet, kept.ipAddress, book)
  }
}

function assignRest(settling: Settling, planning: Planning, book: AddressBook): void {
  const { request } = settling
  if (settling.failed) return
  const mac = request.mac === 'none' ? NO_MAC : (settling.mac ?? newMac(request, planning, book))
  settling.mac = mac
  for (const [i, wish] of request.wishes.entries()) {
    if (settling.fixedIps[i] !== undefined) continue
    const found = wish.candidates.flatMap((subnet) => {
      const address = isMadeByGuest(request, subnet) ? eui64Address(subnet.cidr, mac) : book.lowestFree(subnet)
      return address === undefined ? [] : [{ subnet, address }]
    })[0]
    const problem = found === undefined ? exhausted(wish) : automaticProblem(wish, found, book)
    if (found !== undefined && problem === undefined) take(settling, i, found.subnet, found.address, book)
    else {
      planning.report(wish.at, problem ?? '')
      settling.failed = true
    }
  }
}

/** Under SLAAC the guest decides; a router says what its own address is. */
function isMadeByGuest({ mac, mayBeGateway }: AddressRequest, { ipv6AddressMode }: Subnet): boolean {
  return mac !== 'none' && !mayBeGateway && isAutomatic(ipv6AddressMode)
}

/** A MAC that is free on the network: the generator knows nothing of what exists. */
function newMac({ networkId, label }: AddressRequest, planning: Planning, book: AddressBook): MacAddress {
  for (;;) {
    const mac = planning.generate.mac()
    if (book.ownerOf(networkId, mac) !== undefined) continue
    book.claim(networkId, mac, label)
    return mac
  }
}

function take({ request, fixedIps }: Settling, i: number, subnet: Subnet, address: IpAddress, book: AddressBook): void {
  fixedIps[i] = { subnetId: subnet.id, ipAddress: address }
  book.claim(request.networkId, address, request.label)
}

/** Why nobody, or not this one, can have the address in the subnet. */
function unusable(address: IpAddress, subnet: Subnet, mayBeGateway: boolean): string | undefined {
  const { cidr, gatewayIp } = subnet
  const choose = choice(subnet)
  if (!contains(cidr, address)) return `${address} is outside ${labelOf(subnet)}; ${choose}`
  if (mayBeGateway && address === gatewayIp) return undefined
  if (address === gatewayIp) return `${address} is the gateway of ${labelOf(subnet)}; ${choose}`
  if (prefixLength(cidr) > (ipVersion(cidr) === 4 ? 30 : 126)) return undefined
  if (address === networkAddress(cidr)) return `${address} is the network address of ${labelOf(subnet)}; ${choose}`
  if (ipVersion(cidr) === 4 && address === lastAddress(cidr)) {
    return `${address} is the broadcast address of ${labelOf(subnet)}; ${choose}`
  }
  return undefined
}

function taken(address: IpAddress, subnet: Subnet, book: AddressBook): string | undefined {
  const owner = book.ownerOf(subnet.networkId, address)
  const free = owner === undefined ? undefined : book.lowestFree(subnet)
  const advice = free === undefined ? '' : `; ${free} is free`
  return owner === undefined ? undefined : `${address} is taken by ${owner}${advice}`
}

/** In a subnet where guests make their own address, only that one can be asked for. */
function automaticProblem(
  { address }: Wish,
  found: { readonly subnet: Subnet; readonly address: IpAddress },
  book: AddressBook,
): string | undefined {
  if (address === undefined || address === found.address) return taken(found.address, found.subnet, book)
  const { subnet } = found
  return `${address} cannot be given in ${labelOf(subnet)}: guests make their own address there (${subnet.ipv6AddressMode}), which is ${found.address} for this MAC address; leave it out`
}

function exhausted({ candidates }: Wish): string {
  const pools = candidates.map((subnet) => `${labelOf(subnet)}: ${poolsInWords(subnet) || 'no addresses'}`).join('; ')
  return `no free address is left (${pools}); widen the allocation pools or the range`
}
