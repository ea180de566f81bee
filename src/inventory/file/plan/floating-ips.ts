import { type IpAddress, ipVersion } from '../../records/address.ts'
import type { FloatingIp } from '../../records/floating-ip.ts'
import type { FloatingIpId, NetworkId, PortId, ProjectId } from '../../records/ids.ts'
import type { Port } from '../../records/port.ts'
import type { Subnet } from '../../records/subnet.ts'
import type { FloatingIpItem } from '../schema.ts'
import { type AddressBook, poolsInWords, subnetWith } from './addresses.ts'
import type { Contents } from './contents.ts'
import { labelOf } from './networks.ts'
import type { Planning } from './planning.ts'

/** Addresses that floating IPs have or ask for, so that no port is given them. */
export function claimFloatingIps(contents: Contents, prune: boolean, planning: Planning, book: AddressBook): void {
  if (!prune) {
    for (const { networkId, address } of planning.existing.floating_ip.values()) {
      book.claim(networkId, address, FLOATING)
    }
  }
  for (const { floating_network: reference, floating_ip_address: address } of contents.floating_ip) {
    const network = planning.resolveQuietly('network', reference ?? '')
    if (network !== undefined && address !== undefined) book.claim(network, address, FLOATING)
  }
}

const FLOATING = 'a floating IP'

/** Puts the floating IPs into the draft. Each is known by its id, its address, or the port it stands for. */
export function planFloatingIps(contents: Contents, prune: boolean, planning: Planning, book: AddressBook): void {
  const named = new Set<string>()
  for (const item of contents.floating_ip) {
    const record = item.broken ? undefined : floatingIpOf(item, named, planning, book)
    if (record === undefined) continue
    named.add(record.id)
    planning.draft.floating_ip.set(record.id, record)
  }
  for (const floatingIp of planning.existing.floating_ip.values()) {
    if (named.has(floatingIp.id)) continue
    if (prune || !planning.draft.network.has(floatingIp.networkId)) planning.draft.floating_ip.delete(floatingIp.id)
    else if (!isStillThere(floatingIp, planning)) {
      planning.draft.floating_ip.set(floatingIp.id, { ...floatingIp, portId: null, fixedIpAddress: null })
    }
  }
}

/** A floating IP whose port or fixed IP is gone stays, without either, as in Neutron. */
function isStillThere({ portId, fixedIpAddress }: FloatingIp, planning: Planning): boolean {
  if (portId === null) return true
  const port = planning.draft.port.get(portId)
  return port?.fixedIps.some(({ ipAddress }) => ipAddress === fixedIpAddress) === true
}

function floatingIpOf(
  item: FloatingIpItem,
  named: ReadonlySet<string>,
  planning: Planning,
  book: AddressBook,
): FloatingIp | undefined {
  const networkId = externalNetwork(item, planning)
  const target = targetOf(item, planning)
  if (networkId === undefined || target === undefined) return undefined
  const former = formerOf(item, networkId, target, named, planning)
  if (former !== undefined && named.has(former.id)) {
    planning.report(item.at, `is listed already: ${former.address}; leave one out`)
    return undefined
  }
  const address = addressOf(item, networkId, former, planning, book)
  if (address === undefined) return undefined
  const project = item.project
  const projectId =
    project === undefined
      ? (target?.projectId ?? former?.projectId ?? planning.draft.network.get(networkId)?.projectId)
      : planning.resolve('project', project, [...item.at, 'project'])
  if (projectId === undefined) return undefined
  return {
    id: (item.id ?? former?.id ?? planning.generate.uuid()) as FloatingIpId,
    projectId,
    networkId,
    address,
    portId: target?.portId ?? null,
    fixedIpAddress: target?.fixedIp ?? null,
  }
}

function externalNetwork(item: FloatingIpItem, planning: Planning): NetworkId | undefined {
  const path = [...item.at, 'floating_network']
  const id = planning.resolve('network', item.floating_network, path)
  const network = id === undefined ? undefined : planning.draft.network.get(id)
  if (network === undefined || network.external) return network?.id
  planning.report(path, `network ${network.name} is not external; give it "router:external: true"`)
  return undefined
}

interface Target {
  readonly portId: PortId
  readonly projectId: ProjectId
  readonly fixedIp: IpAddress
}

/** What it stands for; null for nothing, undefined after reporting a problem or when the cause is known. */
function targetOf(item: FloatingIpItem, planning: Planning): Target | null | undefined {
  if (item.port !== undefined && item.server !== undefined) {
    planning.report(item.at, 'has a port and a server; keep one of the two')
    return undefined
  }
  const field = item.port !== undefined ? 'port' : 'server'
  const reference = item[field]
  if (reference === undefined) {
    if (item.fixed_ip_address === undefined) return null
    planning.report([...item.at, 'fixed_ip_address'], 'needs a port or a server whose address it is')
    return undefined
  }
  const id = planning.resolve(field, reference, [...item.at, field])
  if (id === undefined) return undefined
  const ports = portsOf(field, id, planning)
  if (ports === undefined) return undefined
  const wanted = item.fixed_ip_address
  for (const port of ports) {
    const fixedIp = port.fixedIps.find(({ ipAddress }) =>
      wanted === undefined ? ipVersion(ipAddress) === 4 : ipAddress === wanted,
    )
    if (fixedIp !== undefined) return { portId: port.id, projectId: port.projectId, fixedIp: fixedIp.ipAddress }
  }
  const known = ports.flatMap(({ fixedIps }) => fixedIps.map(({ ipAddress }) => ipAddress)).join(', ') || 'none'
  planning.report(
    [...item.at, wanted === undefined ? field : 'fixed_ip_address'],
    `${reference} has no ${wanted === undefined ? 'IPv4 address' : `address ${wanted}`}; its addresses: ${known}`,
  )
  return undefined
}

function portsOf(field: 'port' | 'server', id: string, planning: Planning): readonly Port[] | undefined {
  const { draft } = planning
  const ids = field === 'port' ? [id] : draft.server.get(id)?.portIds
  const ports = ids?.map((port) => draft.port.get(port))
  return ports?.some((port) => port === undefined) === false ? ports.filter((port) => port !== undefined) : undefined
}

function formerOf(
  item: FloatingIpItem,
  network: NetworkId,
  target: Target | null,
  named: ReadonlySet<string>,
  planning: Planning,
): FloatingIp | undefined {
  const { draft, existing } = planning
  if (item.id !== undefined) return draft.floating_ip.get(item.id)
  const wanted = item.floating_ip_address
  if (wanted !== undefined) {
    return [...draft.floating_ip.values()].find(({ networkId, address }) => networkId === network && address === wanted)
  }
  return [...existing.floating_ip.values()].find(
    ({ id, networkId, portId, fixedIpAddress }) =>
      !named.has(id) &&
      networkId === network &&
      target !== null &&
      portId === target.portId &&
      fixedIpAddress === target.fixedIp,
  )
}

/** The address it asks for, has, or is given. undefined after reporting why there is none. */
function addressOf(
  item: FloatingIpItem,
  network: NetworkId,
  former: FloatingIp | undefined,
  planning: Planning,
  book: AddressBook,
): IpAddress | undefined {
  const subnets = planning.subnetsOf(network)
  const wanted = item.floating_ip_address
  if (wanted !== undefined) {
    const path = [...item.at, 'floating_ip_address']
    const owner = book.ownerOf(network, wanted)
    if (owner !== FLOATING && owner !== undefined)
      planning.report(path, `${wanted} is taken by ${owner}; choose another`)
    else if (subnets.length > 0 && subnetWith(subnets, wanted) === undefined) {
      planning.report(path, `${wanted} is in no subnet of the network; choose an address of ${choices(subnets)}`)
    } else return wanted
    return undefined
  }
  if (former !== undefined && former.networkId === network) return former.address
  if (item.port === undefined && item.server === undefined && item.id === undefined) {
    planning.report(
      item.at,
      'needs a floating_ip_address, a port, a server or an id, so that it is found again when the file is applied again',
    )
    return undefined
  }
  const free = subnets.filter(({ ipVersion }) => ipVersion === 4).map((subnet) => book.lowestFree(subnet))
  const address = free.find((found) => found !== undefined)
  if (address === undefined)
    planning.report(item.at, `no free address is left (${choices(subnets)}); give a floating_ip_address`)
  else book.claim(network, address, FLOATING)
  return address
}

function choices(subnets: readonly Subnet[]): string {
  return (
    subnets.map((subnet) => `${labelOf(subnet)}: ${poolsInWords(subnet)}`).join('; ') || 'the network has no subnet'
  )
}
