import type { DesiredAt } from '../../datapath/desired.ts'
import { DHCP_PREFIX } from '../../datapath/dhcp/namespace.ts'
import { METADATA_IPV4, METADATA_PORT } from '../../datapath/metadata-address.ts'
import { ROUTER_PREFIX } from '../../datapath/router/namespace.ts'
import type { PathFacts, RecordFacts } from '../../explain/facts.ts'
import type { Namespace } from '../../host/namespace.ts'
import { type IpAddress, type IpVersion, ipVersion, parseIpAddress } from '../../inventory/records/address.ts'
import type { NetworkId, RouterId } from '../../inventory/records/ids.ts'
import { DHCP_PORT, type FixedIp, isRouterInterface, type Port } from '../../inventory/records/port.ts'
import type { Inventory } from '../../inventory/store.ts'
import type { Wanted } from './find-port.ts'
import { ipv6PathFacts } from './ipv6-path.ts'

type Records = Omit<RecordFacts, 'found'>

/** The records a guest's way depends on. Pure. @param fixedIp  by which it asks */
export function recordFacts(
  { records }: Pick<Inventory, 'records'>,
  { server, port }: Wanted,
  fixedIp = ofFamily(port, 4) ?? port?.fixedIps[0],
): Records {
  const network = port && records.network.get(port.networkId)
  const subnet = fixedIp && records.subnet.get(fixedIp.subnetId)
  const onNetwork = [...records.port.values()].filter(({ networkId }) => networkId === network?.id)
  return {
    server,
    port,
    fixedIp,
    network,
    subnet,
    dhcpPort: onNetwork
      .filter(({ deviceOwner }) => deviceOwner === DHCP_PORT)
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))[0],
    routers: onNetwork.filter(isRouterInterface).flatMap((each) => {
      const router = records.router.get(each.deviceId)
      const address = each.fixedIps.find(({ subnetId }) => subnetId === subnet?.id)?.ipAddress
      return router === undefined || address === undefined ? [] : [{ router, port: each, address }]
    }),
    gatewayHolder: onNetwork.find(({ fixedIps }) => fixedIps.some(({ ipAddress }) => ipAddress === subnet?.gatewayIp)),
  }
}

/** The first fixed IP of a family. */
export function ofFamily(port: Port | undefined, version: IpVersion): FixedIp | undefined {
  return port?.fixedIps.find(({ ipAddress }) => ipVersion(ipAddress) === version)
}

/** Where the plan sends this guest, and why. Pure. */
export function pathFacts(facts: Records, desired: DesiredAt): PathFacts {
  return facts.subnet?.ipVersion === 6 ? ipv6PathFacts(facts, desired) : ipv4PathFacts(facts, desired)
}

function ipv4PathFacts(facts: Records, { namespaces, decisions }: DesiredAt): PathFacts {
  const { network, subnet, dhcpPort, routers } = facts
  const dhcpNetns = `${DHCP_PREFIX}${network?.id}`
  const dhcp = namespaces.get(dhcpNetns)
  const isDhcpServed = dhcp !== undefined && subnet?.enableDhcp === true && subnet.ipVersion === 4
  const because = (netns: string) => decisions.find((each) => each.netns === netns)?.because ?? 'nobody plans it'
  const nextHop = (dhcp && metadataRoute(dhcp, subnet?.id)) ?? subnet?.gatewayIp ?? undefined
  const router = routers.find(({ address }) => address === nextHop)
  if (router !== undefined) {
    const netns = `${ROUTER_PREFIX}${router.router.id}`
    const listener = namespaces.get(netns)?.listeners[0]
    const isUp = router.router.adminStateUp && namespaces.has(netns)
    const listensOn = listener && { address: listener.address, port: listener.port }
    return { kind: isUp ? 'router' : 'none', netns, nextHop, listensOn, because: because(netns), isDhcpServed }
  }
  const isDhcp = dhcp !== undefined && dhcpPort?.fixedIps.some(({ ipAddress }) => ipAddress === nextHop) === true
  return {
    kind: isDhcp ? 'dhcp' : 'none',
    netns: dhcp === undefined ? undefined : dhcpNetns,
    nextHop: isDhcp ? nextHop : undefined,
    listensOn: { address: METADATA_IPV4, port: METADATA_PORT },
    because: because(dhcpNetns),
    isDhcpServed,
  }
}

/** What option 121 is to say, by the file that dnsmasq is given. */
function metadataRoute({ programs }: Namespace, subnetId: string | undefined): IpAddress | undefined {
  const dnsmasq = programs.find(({ kind }) => kind === 'dnsmasq')
  const prefix = `tag:subnet-${subnetId},option:classless-static-route,`
  const files: Readonly<Record<string, string>> = { ...dnsmasq?.files }
  const line = files['opts']?.split('\n').find((each) => each.startsWith(prefix)) ?? ''
  const words = line.slice(prefix.length).split(',')
  const at = words.indexOf(`${METADATA_IPV4}/32`)
  return at === -1 ? undefined : parseIpAddress(words[at + 1] ?? '')
}

/** The ports the agent would find. */
export function foundPorts(inventory: Inventory, { fixedIp, port }: Records, path: PathFacts) {
  if (fixedIp === undefined || port === undefined || path.netns === undefined) return []
  const within = path.netns.startsWith(ROUTER_PREFIX)
    ? { routerId: path.netns.slice(ROUTER_PREFIX.length) as RouterId }
    : { networkId: port.networkId as NetworkId }
  return inventory.ports(within, { fixedIp: fixedIp.ipAddress })
}
