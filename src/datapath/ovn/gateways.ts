import { createHash } from 'node:crypto'
import type { RouterId } from '../../inventory/records/ids.ts'
import type { Network } from '../../inventory/records/network.ts'

/** What a chassis says of itself in the Southbound. */
export interface GatewayCandidate {
  readonly name: string
  /** `ovn-cms-options` has `enable-chassis-as-gw`. */
  readonly isGateway: boolean
  /** Those that `ovn-bridge-mappings` connects to a bridge. */
  readonly physicalNetworks: ReadonlySet<string>
}

/** As many as Neutron schedules. */
const MOST_GATEWAYS = 5

/** Holds a gateway that no chassis can have, so that it is not taken for a port of every chassis. Neutron's name for it. */
const NO_CHASSIS = 'neutron-ovn-invalid-chassis'

/**
 * The physical network of an external network. Records have no `provider:physical_network`, so it is the one of the network's
 * own name, if a chassis has a bridge to it; otherwise the network is one of tunnels like any other.
 */
export function physicalNetwork({ name, external }: Network, chassis: readonly GatewayCandidate[]): string | undefined {
  return external && chassis.some(({ physicalNetworks }) => physicalNetworks.has(name)) ? name : undefined
}

/**
 * The chassis that may have a router's gateway on this network, the first choice first: of those with a bridge to the network
 * the ones that are gateways, and where none is one, any.
 *
 * The order is another for each router, so that gateways are spread, and a chassis that comes or goes moves no gateway but
 * its own. Pure.
 */
export function gatewayChassis(
  router: RouterId,
  network: Network,
  chassis: readonly GatewayCandidate[],
): readonly string[] {
  const physical = physicalNetwork(network, chassis)
  const connected =
    physical === undefined ? chassis : chassis.filter(({ physicalNetworks }) => physicalNetworks.has(physical))
  const marked = connected.filter(({ isGateway }) => isGateway)
  const drawn = (marked.length > 0 ? marked : connected)
    .map(({ name }) => ({ name, lot: createHash('sha256').update(`${router} ${name}`).digest('hex') }))
    .sort((a, b) => (a.lot < b.lot ? -1 : 1))
    .map(({ name }) => name)
  return drawn.length === 0 ? [NO_CHASSIS] : drawn.slice(0, MOST_GATEWAYS)
}
