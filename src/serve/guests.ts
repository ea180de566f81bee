import type { HttpRequest } from '../http/messages.ts'
import { type IpAddress, parseIpAddress, unmapped } from '../inventory/records/address.ts'
import type { RecordSet } from '../inventory/records/records.ts'
import type { Server } from '../inventory/records/server.ts'

export type Guest = Pick<Server, 'id' | 'name' | 'projectId'>

/** How a request is taken for one of the servers. What stands further up decides. */
export interface GuestRules {
  /** By the id or name in X-Instance-ID, where the request has one. Anybody can claim to be anybody: for tests only. */
  readonly byHeader: ((server: string) => Guest | undefined) | undefined
  /** By the address it comes from. */
  readonly byAddress: ReadonlyMap<IpAddress, Guest>
  /** Whoever is left. */
  readonly everybody: Guest | undefined
}

/** @returns who sent the request, or undefined when the rules do not say */
export function guestOf(rules: GuestRules, { headers, remoteAddress }: HttpRequest): Guest | undefined {
  const claimed = rules.byHeader && headers.get('x-instance-id')
  if (claimed !== undefined) return rules.byHeader?.(claimed)
  const address = parseIpAddress(remoteAddress.replace(/%.*/, ''))
  return (address && rules.byAddress.get(unmapped(address))) ?? rules.everybody
}

/** The servers by their fixed IPs, without the addresses that several of them have. */
export function guestsByFixedIp(records: RecordSet): Map<IpAddress, Guest> {
  const pairs = [...records.server.values()].flatMap((server) =>
    server.portIds
      .flatMap((id) => records.port.get(id)?.fixedIps ?? [])
      .map(({ ipAddress }) => ({ ipAddress, server })),
  )
  const servers = Map.groupBy(pairs, ({ ipAddress }) => ipAddress)
  return new Map(
    [...servers].flatMap(([address, [only, ...others]]) =>
      only && others.length === 0 ? [[address, only.server] as const] : [],
    ),
  )
}
