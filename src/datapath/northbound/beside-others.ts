import type { Northbound } from '../ovn/northbound.ts'
import type { Held, LogicalPort } from '../ovn/rows.ts'
import { GATEWAY_CHASSIS, LOGICAL_ROUTER, LOGICAL_ROUTER_PORT, LOGICAL_SWITCH, LOGICAL_SWITCH_PORT } from './tables.ts'
import type { TakenName } from './taken-names.ts'

/**
 * What can be written where names are taken: all but these rows and what is on them. Pure.
 *
 * A router's interface is left out on both sides or on none: the two find each other by name, and one of ours must not be
 * joined to one of others. So are the DHCP options of subnets whose ports are all left out, since Neutron looks for such
 * rows by subnet.
 */
export function besideOthers(wanted: Northbound, taken: readonly TakenName[]): Northbound {
  if (taken.length === 0) return wanted
  const names = new Set(taken.map(({ table, name }) => `${table} ${name}`))
  const free =
    ({ name: table }: { readonly name: string }) =>
    (_: unknown, name: string) =>
      !names.has(`${table} ${name}`)
  const switches = filtered(wanted.switches, free(LOGICAL_SWITCH))
  const routers = filtered(wanted.routers, free(LOGICAL_ROUTER))
  const onSwitches = filtered(heldBy(wanted.ports, switches), free(LOGICAL_SWITCH_PORT))
  const joined = new Set(Array.from(onSwitches.values(), routerPortOf))
  const hasOtherSide = new Set(Array.from(wanted.ports.values(), routerPortOf))
  const routerPorts = filtered(
    filtered(heldBy(wanted.routerPorts, routers), free(LOGICAL_ROUTER_PORT)),
    (_, name) => joined.has(name) || !hasOtherSide.has(name),
  )
  const ports = filtered(onSwitches, (port) => {
    const otherSide = routerPortOf(port)
    return otherSide === undefined || routerPorts.has(otherSide) || !wanted.routerPorts.has(otherSide)
  })
  const [before, after] = [subnetsOf(wanted.ports), subnetsOf(ports)]
  return {
    dhcp: filtered(wanted.dhcp, (_, subnet) => after.has(subnet) || !before.has(subnet)),
    switches,
    dns: heldBy(wanted.dns, switches),
    ports,
    routers,
    routerPorts,
    gatewayChassis: filtered(heldBy(wanted.gatewayChassis, routerPorts), free(GATEWAY_CHASSIS)),
    routes: heldBy(wanted.routes, routers),
    translations: heldBy(wanted.translations, routers),
  }
}

function filtered<V>(map: ReadonlyMap<string, V>, stays: (value: V, key: string) => boolean): ReadonlyMap<string, V> {
  return new Map([...map].filter(([key, value]) => stays(value, key)))
}

function heldBy<V extends Held<unknown>>(
  map: ReadonlyMap<string, V>,
  holders: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, V> {
  return filtered(map, ({ on }) => holders.has(on))
}

function routerPortOf({ columns }: LogicalPort): string | undefined {
  return columns.options.get('router-port')
}

function subnetsOf(ports: Northbound['ports']): ReadonlySet<string | undefined> {
  return new Set(Array.from(ports.values(), ({ dhcpv4, dhcpv6 }) => [dhcpv4, dhcpv6]).flat())
}
