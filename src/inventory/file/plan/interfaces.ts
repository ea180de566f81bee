import type { InstanceId, PortId, ProjectId, SecurityGroupId } from '../../records/ids.ts'
import type { Port } from '../../records/port.ts'
import type { ServerItem, ServerNetworkItem } from '../schema.ts'
import type { Binding, Bindings } from './bindings.ts'
import { ownerOf } from './owned-nouns.ts'
import type { Planning } from './planning.ts'
import { madePort, portRequest, portsMadeFor, resolveGroups } from './ports.ts'
import type { AddressRequest } from './settle.ts'
import { defaultWishes, explicitWishes, singleWish, type Wish } from './wishes.ts'

/** Nova's `default_availability_zone`. */
export const DEFAULT_ZONE = 'nova'

/** The interfaces of a server of the file. */
export interface Interfaces {
  /** In the guest's order. */
  readonly portIds: readonly PortId[]
  /** What is to be settled for the ports that are the server's own. */
  readonly requests: readonly AddressRequest[]
  /** The `tag` of each port that has one. */
  readonly tags: ReadonlyMap<PortId, string>
}

export function planInterfaces(item: ServerItem, id: InstanceId, bindings: Bindings, planning: Planning): Interfaces {
  const projectId = ownerOf('server', id, planning)
  const binding: Binding = {
    deviceId: id,
    deviceOwner: `compute:${item.availability_zone ?? DEFAULT_ZONE}`,
    label: `server ${item.name}`,
    mayBeGateway: false,
  }
  const groups = resolveGroups(item.security_groups, projectId, item.at, planning)
  const entries = item.networks ?? onlyNetwork(item, projectId, planning)
  const byName = new Set(entries.map(({ port }) => port && planning.resolveQuietly('port', port, projectId)))
  const former = portsMadeFor(id, planning.existing.server.get(id)?.portIds ?? [], planning)
  const unclaimed = new Set(former.filter((port) => !byName.has(port.id)))
  const portIds: PortId[] = []
  const requests: AddressRequest[] = []
  const tags = new Map<PortId, string>()
  for (const entry of entries) {
    if (!isConsistent(entry, planning)) continue
    const request =
      entry.port === undefined ? requestFor(entry, binding, projectId, groups ?? [], unclaimed, planning) : undefined
    const port =
      entry.port === undefined
        ? (request?.id as PortId | undefined)
        : bindings.bind(entry.port, binding, [...entry.at, 'port'], projectId, planning)
    if (port === undefined) continue
    portIds.push(port)
    if (request !== undefined) requests.push(request)
    if (entry.tag !== undefined) tags.set(port, entry.tag)
  }
  bindings.keep(id, portIds)
  return { portIds, requests, tags }
}

/** Of a server that cannot become a record: what is wrong with its addresses whatever becomes of the rest. */
export function refuseAddresses({ networks = [] }: ServerItem, planning: Planning): void {
  for (const entry of networks) {
    const network = entry.network === undefined ? undefined : planning.resolveQuietly('network', entry.network)
    if (network !== undefined && planning.draft.network.has(network)) wishesOf(entry, network, planning)
  }
}

/** The port an entry `network: ...` stands for: one the server has there already, else a new one. */
function requestFor(
  entry: ServerNetworkItem,
  { deviceId, deviceOwner, label, mayBeGateway }: Binding,
  projectId: ProjectId,
  securityGroupIds: readonly SecurityGroupId[],
  unclaimed: Set<Port>,
  planning: Planning,
): AddressRequest | undefined {
  const networkId = planning.resolve('network', entry.network ?? '', [...entry.at, 'network'], projectId)
  if (networkId === undefined || !planning.draft.network.has(networkId)) return undefined
  const wishes = wishesOf(entry, networkId, planning)
  if (wishes === undefined) return undefined
  const known = bestMatch(
    entry,
    [...unclaimed].filter((port) => port.networkId === networkId),
  )
  if (known !== undefined) unclaimed.delete(known)
  return portRequest(
    madePort({
      id: known?.id ?? (planning.generate.uuid() as PortId),
      networkId,
      projectId,
      securityGroupIds,
      deviceId,
      deviceOwner,
      portSecurityEnabled: true,
    }),
    { at: entry.at, label, wishes, mac: entry.mac_address ?? null, mayBeGateway },
    planning,
  )
}

/** Nova's rule for a request without networks: the project's network when there is one, and none when there is none. */
function onlyNetwork(item: ServerItem, projectId: ProjectId, planning: Planning): readonly ServerNetworkItem[] {
  const own = [...planning.draft.network.values()].filter(
    (network) => network.projectId === projectId && !network.external,
  )
  if (own.length <= 1) return own.map(({ id }) => ({ network: id, at: item.at, broken: false }))
  const names = own.map(({ name }) => name).join(', ')
  planning.report(
    item.at,
    `names no networks, and its project has several; add "networks:" with some of ${names}, or []`,
  )
  return []
}

/** Rules for what may stand together. */
function isConsistent(entry: ServerNetworkItem, planning: Planning): boolean {
  const { network, port, fixed_ip, fixed_ips, mac_address, at } = entry
  const problem =
    (network === undefined) === (port === undefined)
      ? 'needs a network or a port, and not both'
      : port !== undefined && (fixed_ip !== undefined || fixed_ips !== undefined || mac_address !== undefined)
        ? 'has its addresses from the port; give them in the list ports instead'
        : fixed_ip !== undefined && fixed_ips !== undefined
          ? 'has fixed_ip and fixed_ips; put all addresses into fixed_ips'
          : undefined
  if (problem !== undefined) planning.report(at, problem)
  return problem === undefined
}

function wishesOf(
  entry: ServerNetworkItem,
  network: Port['networkId'],
  planning: Planning,
): readonly Wish[] | undefined {
  if (entry.fixed_ips !== undefined) return explicitWishes(network, entry.fixed_ips, planning)
  if (entry.fixed_ip !== undefined) return singleWish(network, entry.fixed_ip, [...entry.at, 'fixed_ip'], planning)
  return defaultWishes(network, entry.at, planning)
}

/** Which of a server's former ports an entry means: by MAC, by address, else the first. */
function bestMatch(entry: ServerNetworkItem, ports: readonly Port[]): Port | undefined {
  const wanted = [entry.fixed_ip, ...(entry.fixed_ips ?? []).map(({ ip_address }) => ip_address)]
  return (
    ports.find(({ macAddress }) => macAddress === entry.mac_address) ??
    ports.find(({ fixedIps }) => fixedIps.some(({ ipAddress }) => wanted.includes(ipAddress))) ??
    ports[0]
  )
}
