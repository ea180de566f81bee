import { type IpAddress, ipVersion, toNumber } from '../../inventory/records/address.ts'
import type { PortId } from '../../inventory/records/ids.ts'
import type { Port } from '../../inventory/records/port.ts'
import type { Server } from '../../inventory/records/server.ts'
import type { Texts } from './rows.ts'

/** What Nova calls a port when it plugs it in: by the hostname of its server. */
export function portHostnames(servers: Iterable<Pick<Server, 'hostname' | 'portIds'>>): ReadonlyMap<PortId, string> {
  return new Map(Array.from(servers).flatMap(({ hostname, portIds }) => portIds.map((id) => [id, hostname] as const)))
}

/**
 * What OVN answers guests of a network that ask for names, whichever server they ask: the addresses of hostnames, alone and
 * within the domain, and the names of addresses. Neutron's internal DNS. Pure.
 * @param domain  empty for none
 */
export function dnsRecords(ports: readonly Port[], hostnames: ReadonlyMap<PortId, string>, domain: string): Texts {
  const named = ports.flatMap(({ id, fixedIps }) => {
    const hostname = hostnames.get(id)?.toLowerCase()
    return hostname === undefined ? [] : fixedIps.map(({ ipAddress: address }) => ({ hostname, address }))
  })
  const byName = Map.groupBy(named, ({ hostname }) => hostname)
  const within = (hostname: string) => (domain === '' ? hostname : `${hostname}.${domain}`)
  return new Map([
    ...Array.from(byName).flatMap(([hostname, of]) => {
      const addresses = of.map(({ address }) => address).join(' ')
      return [hostname, within(hostname)].map((name) => [name, addresses] as const)
    }),
    ...named.map(({ hostname, address }) => [reverseName(address), within(hostname)] as const),
  ])
}

/** RFC 1035, section 3.5; RFC 3596, section 2.5. */
function reverseName(address: IpAddress): string {
  if (ipVersion(address) === 4) return `${address.split('.').toReversed().join('.')}.in-addr.arpa`
  return `${[...toNumber(address).toString(16).padStart(32, '0')].reverse().join('.')}.ip6.arpa`
}
