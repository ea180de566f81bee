import { contains, type IpAddress } from '../../records/address.ts'
import type { FixedIp } from '../../records/port.ts'
import type { Router } from '../../records/router.ts'
import type { RouterItem } from '../schema.ts'
import type { Contents } from './contents.ts'
import { type Planning, soundItems } from './planning.ts'

/** Refuses routes that Neutron's API refuses: the next hop has to be on a subnet of the router, and somebody else. To be
 *  called when addresses have been settled. */
export function refuseLostRoutes(contents: Contents, planning: Planning): void {
  for (const [item, id] of soundItems(planning, 'router', contents.router)) {
    const router = planning.draft.router.get(id)
    if (router === undefined || item.routes === undefined) continue
    const fixedIps = fixedIpsOf(router, planning)
    if (!isComplete(item, router, fixedIps, planning)) continue
    for (const { at, nexthop } of item.routes) {
      const problem = whyLost(nexthop, router, fixedIps, planning)
      if (problem !== undefined) planning.report([...at, 'nexthop'], problem)
    }
  }
}

function fixedIpsOf({ id, externalGateway }: Router, { draft }: Planning): readonly FixedIp[] {
  const inner = [...draft.port.values()].filter(({ deviceId }) => deviceId === id)
  return [...inner.flatMap(({ fixedIps }) => fixedIps), ...(externalGateway?.fixedIps ?? [])]
}

/** Where an interface or the gateway could not be made, that is reported, and the route may be right. */
function isComplete(
  { interfaces = [], external_gateway_info: gateway }: RouterItem,
  { projectId, externalGateway }: Router,
  fixedIps: readonly FixedIp[],
  planning: Planning,
): boolean {
  if (gateway !== undefined && gateway !== null && externalGateway === null) return false
  return interfaces.every(({ subnet, port }) => {
    if (port !== undefined) return planning.draft.port.has(planning.resolveQuietly('port', port, projectId) ?? '')
    const id = subnet === undefined ? undefined : planning.resolveQuietly('subnet', subnet)
    return fixedIps.some(({ subnetId }) => subnetId === id)
  })
}

function whyLost(
  nexthop: IpAddress,
  { name }: Router,
  fixedIps: readonly FixedIp[],
  { draft }: Planning,
): string | undefined {
  if (fixedIps.some(({ ipAddress }) => ipAddress === nexthop))
    return `${nexthop} is an address of router ${name} itself; name the router that comes after it`
  const ranges = [...new Set(fixedIps.flatMap(({ subnetId }) => draft.subnet.get(subnetId)?.cidr ?? []))]
  if (ranges.some((range) => contains(range, nexthop))) return undefined
  const where = ranges.length === 0 ? 'it has no interface' : `it is on ${ranges.join(', ')}`
  return `${nexthop} cannot be reached by router ${name}: ${where}; give it an interface there, or leave the route out`
}
