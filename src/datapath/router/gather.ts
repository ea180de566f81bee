import { standingFixedIps } from '../../inventory/former-interfaces.ts'
import type { IpAddress } from '../../inventory/records/address.ts'
import type { FloatingIp } from '../../inventory/records/floating-ip.ts'
import type { FormerInterface } from '../../inventory/records/former-interface.ts'
import type { RouterId, SubnetId } from '../../inventory/records/ids.ts'
import { isRouterInterface, type Port } from '../../inventory/records/port.ts'
import type { RecordSet } from '../../inventory/records/records.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import type { RouterConfig } from './config.ts'
import type { RouterRecords } from './router-view.ts'

type Records = Pick<RecordSet, 'network' | 'subnet' | 'port' | 'router' | 'floating_ip' | 'former_interface'>

/**
 * The records of each router that there is, or that guests may still send to. Pure.
 *
 * @returns also when the next former interface ends, in seconds since 1970
 */
export function gatherRouters(
  records: Records,
  config: Pick<RouterConfig, 'dhcpLeaseDuration'>,
  nowSeconds: number,
): { readonly routers: readonly RouterRecords[]; readonly until: number | undefined } {
  const ports = Map.groupBy([...records.port.values()].filter(isRouterInterface), ({ deviceId }) => deviceId)
  const young = [...records.former_interface.values()].filter((each) => endOf(each, config) > nowSeconds)
  const formers = Map.groupBy(standing(young, ports, records), ({ routerId }) => routerId)
  const ends = young.map((each) => endOf(each, config)).filter(Number.isFinite)
  const floating = floatingIpsByRouter(records, ports)
  const ids = new Set<RouterId>([...(records.router.keys() as Iterable<RouterId>), ...formers.keys()])
  return {
    routers: [...ids].map((id) => {
      const own = { ports: ports.get(id) ?? [], formers: formers.get(id) ?? [], floatingIps: floating.get(id) ?? [] }
      return { id, router: records.router.get(id), ...own, ...neighbourhood(id, own, records) }
    }),
    until: ends.length === 0 ? undefined : Math.min(...ends),
  }
}

/** By then each guest has renewed the lease it had. */
function endOf({ detachedAt }: FormerInterface, config: Pick<RouterConfig, 'dhcpLeaseDuration'>): number {
  return config.dhcpLeaseDuration === -1 ? Number.POSITIVE_INFINITY : detachedAt + config.dhcpLeaseDuration
}

type Ports = ReadonlyMap<string, readonly Port[]>

/** Each with the addresses that guests may still send to; those without any are left out. */
function standing(formers: readonly FormerInterface[], ports: Ports, records: Records): readonly FormerInterface[] {
  if (formers.length === 0) return []
  const holders = new Map<string, Port>()
  for (const port of records.port.values())
    for (const { ipAddress } of port.fixedIps) holders.set(`${port.networkId} ${ipAddress}`, port)
  return formers.flatMap((former) => {
    const isUp = records.router.get(former.routerId)?.adminStateUp === true
    const attached = isUp ? (ports.get(former.routerId) ?? []).filter(({ adminStateUp }) => adminStateUp) : []
    const fixedIps = standingFixedIps(former, {
      subnet: (id) => records.subnet.get(id),
      portOn: (network, address) => holders.get(`${network} ${address}`),
      attached: subnetsOf(attached, records),
    })
    if (fixedIps.length === 0 || !records.network.has(former.networkId)) return []
    return fixedIps.length === former.fixedIps.length ? [former] : [{ ...former, fixedIps }]
  })
}

/** The networks and subnets of a router's devices. */
function neighbourhood(
  id: RouterId,
  { ports, formers }: Pick<RouterRecords, 'ports' | 'formers'>,
  records: Records,
): Pick<RouterRecords, 'networks' | 'subnets'> {
  const gateway = records.router.get(id)?.externalGateway
  const all = [...ports, ...formers, ...(gateway ? [gateway] : [])]
  const networks = [...new Set(all.map(({ networkId }) => networkId))].map((each) => records.network.get(each))
  return { networks: networks.filter((each) => each !== undefined), subnets: subnetsOf(all, records) }
}

function subnetsOf(holders: readonly Pick<Port, 'fixedIps'>[], records: Records): readonly Subnet[] {
  const ids = new Set<SubnetId>(holders.flatMap(({ fixedIps }) => fixedIps.map(({ subnetId }) => subnetId)))
  return [...ids].map((id) => records.subnet.get(id)).filter((subnet) => subnet !== undefined)
}

/** A floating IP belongs to the router that joins its network and the fixed IP's subnet: of several to the one with the
 *  subnet's gateway address, as in Neutron. */
function floatingIpsByRouter(records: Records, ports: Ports): ReadonlyMap<string, readonly FloatingIp[]> {
  const associated = [...records.floating_ip.values()].filter(({ portId }) => portId !== null)
  if (associated.length === 0) return new Map()
  const byRouter = Map.groupBy(associated, (floatingIp) => routerOf(floatingIp, records, ports))
  return new Map([...byRouter].flatMap(([id, ips]) => (id === undefined ? [] : [[id, ips] as const])))
}

function routerOf({ networkId, portId, fixedIpAddress }: FloatingIp, records: Records, ports: Ports) {
  const fixedIp = records.port.get(portId ?? '')?.fixedIps.find(({ ipAddress }) => ipAddress === fixedIpAddress)
  if (fixedIp === undefined) return undefined
  const joins = [...records.router.values()]
    .filter(({ externalGateway }) => externalGateway?.networkId === networkId)
    .flatMap(({ id }) => (ports.get(id) ?? []).flatMap((port) => port.fixedIps.map((one) => ({ id, ...one }))))
    .filter(({ subnetId }) => subnetId === fixedIp.subnetId)
  return (joins.find(({ ipAddress }) => isGateway(ipAddress, fixedIp.subnetId, records)) ?? joins[0])?.id
}

function isGateway(address: IpAddress, subnetId: SubnetId, records: Records): boolean {
  return records.subnet.get(subnetId)?.gatewayIp === address
}
