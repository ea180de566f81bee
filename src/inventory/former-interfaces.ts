import { type IpAddress, overlap } from './records/address.ts'
import type { FormerInterface } from './records/former-interface.ts'
import type { NetworkId, SubnetId } from './records/ids.ts'
import { type FixedIp, isRouterInterface, type Port } from './records/port.ts'
import type { Change, RecordSet, Records } from './records/records.ts'
import type { Subnet } from './records/subnet.ts'

/** No lease that anybody gives out is longer, but for those that never end. */
const KEPT_SECONDS = 30 * 86_400

/** What of the inventory decides: the ports and routers that changes name, the interfaces of those routers, the routers of
 *  those ports, and all former interfaces. More does no harm. */
export type Touched = Pick<RecordSet, 'router' | 'port' | 'former_interface'>

/**
 * What changes leave behind of router interfaces, as further changes for the same commit. Pure.
 *
 * An interface stands while its port and its router are there and up. Addresses that it loses are remembered, one that
 * comes back is forgotten, and so are all that are too old to matter.
 *
 * @param before  as it was before the changes
 */
export function formerInterfaceChanges(
  before: Touched,
  changes: readonly Change[],
  nowSeconds: number,
): readonly Change[] {
  const after = { router: changed('router', before.router, changes), port: changed('port', before.port, changes) }
  const gone = new Set(
    changes.flatMap((change) => (change.op === 'delete' && change.noun === 'subnet' ? change.id : [])),
  )
  const ids = [...new Set([...before.port.keys(), ...after.port.keys()])]
  const news = ids.flatMap((id) => {
    const was = standing(id, before)
    const is = standing(id, after)
    const known = before.former_interface.get(id)
    const has = (fixedIp: FixedIp) =>
      is?.networkId === (was ?? known)?.networkId && is?.fixedIps.some((other) => isSame(other, fixedIp))
    const lost = (was?.fixedIps ?? []).filter((fixedIp) => !has(fixedIp) && !gone.has(fixedIp.subnetId))
    const kept = (known?.fixedIps ?? []).filter((fixedIp) => !has(fixedIp) && !lost.some((one) => isSame(one, fixedIp)))
    if (was !== undefined && lost.length > 0) return put(formerOf(was, [...lost, ...kept], nowSeconds))
    if (known === undefined || kept.length === known.fixedIps.length) return []
    return kept.length === 0 ? forget(known) : put({ ...known, fixedIps: kept })
  })
  const old = [...before.former_interface.values()].filter(({ detachedAt }) => detachedAt < nowSeconds - KEPT_SECONDS)
  return news.length === 0 ? [] : [...old.map(forget), ...news]
}

/**
 * The addresses of a former interface that guests may still send to: the subnet is there, nobody else has the address by
 * now, and the router serves no other subnet of the same range, whose guests it could not tell from these.
 */
export function standingFixedIps(
  { id, networkId, fixedIps }: FormerInterface,
  { subnet, portOn, attached }: Neighbourhood,
): readonly FixedIp[] {
  return fixedIps.filter(({ subnetId, ipAddress }) => {
    const found = subnet(subnetId)
    const taken = portOn(networkId, ipAddress)
    if (found === undefined || (taken !== undefined && taken.id !== id)) return false
    return !attached.some((other) => other.id !== subnetId && overlap(other.cidr, found.cidr))
  })
}

export interface Neighbourhood {
  readonly subnet: (id: SubnetId) => Subnet | undefined
  readonly portOn: (network: NetworkId, address: IpAddress) => Pick<Port, 'id'> | undefined
  /** The subnets the router has now. */
  readonly attached: readonly Subnet[]
}

/** @returns undefined when the port is no interface of a router that is up */
function standing(id: string, { port, router }: Pick<Touched, 'port' | 'router'>): Port | undefined {
  const found = port.get(id)
  if (found === undefined || !isRouterInterface(found) || !found.adminStateUp) return undefined
  return router.get(found.deviceId)?.adminStateUp ? found : undefined
}

function changed<N extends 'router' | 'port'>(
  noun: N,
  records: ReadonlyMap<string, Records[N]>,
  changes: readonly Change[],
): ReadonlyMap<string, Records[N]> {
  const next = new Map(records)
  for (const change of changes) {
    if (change.noun !== noun) continue
    if (change.op === 'put') next.set(change.record.id, change.record as Records[N])
    else next.delete(change.id)
  }
  return next
}

function formerOf(
  { id, deviceId, networkId, macAddress }: Port,
  fixedIps: readonly FixedIp[],
  detachedAt: number,
): FormerInterface {
  return { id, routerId: deviceId as FormerInterface['routerId'], networkId, macAddress, fixedIps, detachedAt }
}

function put(record: FormerInterface): Change {
  return { op: 'put', noun: 'former_interface', record }
}

function forget({ id }: FormerInterface): Change {
  return { op: 'delete', noun: 'former_interface', id }
}

function isSame(a: FixedIp, b: FixedIp): boolean {
  return a.subnetId === b.subnetId && a.ipAddress === b.ipAddress
}
