import type { DesiredAt } from '../../datapath/desired.ts'
import { DHCP_PREFIX } from '../../datapath/dhcp/namespace.ts'
import { METADATA_IPV4, METADATA_PORT } from '../../datapath/metadata-address.ts'
import { ROUTER_PREFIX } from '../../datapath/router/namespace.ts'
import type { PathFacts, RecordFacts } from '../../explain/facts.ts'
import type { Namespace } from '../../host/namespace.ts'
import { type IpAddress, ipVersion, parseIpAddress } from '../../inventory/records/address.ts'
import type { NetworkId, RouterId } from '../../inventory/records/ids.ts'
import { DHCP_PORT, isRouterInterface } from '../../inventory/records/port.ts'
import type { Inventory } from '../../inventory/store.ts'
import type { Wanted } from './find-port.ts'

/** The records a guest's way depends on. Pure. */
export function recordFacts(
  { records }: Pick<Inventory, 'records'>,
  { server, port }: Wanted,
): Omit<RecordFacts, 'found'> {
  const fixedIp = port?.fixedIps.find(({ ipAddress }) => ipVersion(ipAddress) === 4) ?? port?.fixedIps[0]
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

/** Where the plan sends this guest, and why. Pure. */
export function pathFacts(facts: Omit<RecordFacts, 'found'>, { namespaces, decisions }: DesiredAt): PathFacts {
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
export function foundPorts(inventory: Inventory, { fixedIp, port }: Omit<RecordFacts, 'found'>, path: PathFacts) {
  if (fixedIp === undefined || port === undefined || path.netns === undefined) return []
  const within = path.netns.startsWith(ROUTER_PREFIX)
    ? { routerId: path.netns.slice(ROUTER_PREFIX.length) as RouterId }
    : { networkId: port.networkId as NetworkId }
  return inventory.ports(within, { fixedIp: fixedIp.ipAddress })
}
