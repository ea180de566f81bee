import { type Cidr, netmask, networkAddress } from '../../inventory/records/address.ts'
import type { Instance, InstanceInterface, InterfaceSubnet } from '../../inventory/records/instance.ts'
import type { Json } from '../json.ts'
import { RELEASES, type Release } from '../release.ts'
import { firstSubnet, knownDhcpServer } from './subnets.ts'

/** network_data.json. An interface without subnets does not appear; an instance without interfaces has an empty object. */
export function networkData(instance: Instance, release: Release): Json {
  if (instance.interfaces.length === 0) return {}
  const shown = instance.interfaces
    .filter((vif) => vif.subnets.length > 0)
    .map((vif, index) => ({ vif, linkId: vif.deviceName ?? `interface${index}` }))
  const attachments = shown.flatMap(({ vif, linkId }) => attachmentsOf(vif, linkId))
  return {
    links: shown.map(({ vif, linkId }) => link(vif, linkId, release)),
    networks: attachments.map((attachment, index) => network(attachment, `network${index}`, release)),
    services: dnsServices(new Set(attachments.flatMap(({ subnet }) => subnet.dnsServers))),
  }
}

/** The bindings that keep their name; every other one is shown as `phy`. */
const NAMED_VIF_TYPES: ReadonlySet<string> = new Set([
  'bridge',
  'dvs',
  'hw_veb',
  'hyperv',
  'ovs',
  'tap',
  'vhostuser',
  'vif',
])

/** The MTU is left to DHCP as soon as any subnet of the interface has it, shown or not. */
function link(vif: InstanceInterface, id: string, release: Release): Json {
  const isLeftToDhcp = vif.subnets.some((subnet) => knownDhcpServer(subnet, release) !== null)
  return {
    id,
    vif_id: vif.portId,
    type: NAMED_VIF_TYPES.has(vif.vifType) ? vif.vifType : 'phy',
    mtu: isLeftToDhcp ? null : vif.mtu,
    ethernet_mac_address: vif.macAddress,
  }
}

/** A subnet the interface has an address in. Of each family there is at most one, of its addresses the first. */
interface Attachment {
  readonly vif: InstanceInterface
  readonly linkId: string
  readonly subnet: InterfaceSubnet
  readonly address: string
}

function attachmentsOf(vif: InstanceInterface, linkId: string): readonly Attachment[] {
  return ([4, 6] as const).flatMap((ipVersion) => {
    const subnet = firstSubnet(vif, ipVersion)
    const address = subnet?.addresses[0]?.address
    return subnet && address ? [{ vif, linkId, subnet, address }] : []
  })
}

function network({ vif, linkId, subnet, address }: Attachment, id: string, release: Release): Json {
  const type = networkType(subnet, release)
  if (type === `ipv${subnet.ipVersion}_dhcp`) return { id, type, link: linkId, network_id: vif.networkId }
  return {
    id,
    type,
    link: linkId,
    ip_address: address,
    netmask: netmask(subnet.cidr),
    routes: routes(subnet),
    network_id: vif.networkId,
    services: dnsServices(subnet.dnsServers),
  }
}

/** An address mode wins over DHCP, and such a network carries its address. */
function networkType(subnet: InterfaceSubnet, release: Release): string {
  if (subnet.ipv6AddressMode !== null) return `ipv6_${subnet.ipv6AddressMode}`
  const isDhcp =
    knownDhcpServer(subnet, release) !== null || (RELEASES[release].enableDhcpSuffices && subnet.enableDhcp)
  return isDhcp ? `ipv${subnet.ipVersion}_dhcp` : `ipv${subnet.ipVersion}`
}

/** The default route first, then the subnet's own. IPv6 masks have address form too. */
function routes({ ipVersion, gateway, routes: own }: InterfaceSubnet): readonly Json[] {
  const any = ipVersion === 4 ? '0.0.0.0' : '::'
  return [
    ...(gateway === null ? [] : [{ network: any, netmask: any, gateway }]),
    ...own.map((route) => ({ ...destination(route.destination), gateway: route.gateway })),
  ]
}

function destination(cidr: Cidr): { readonly network: string; readonly netmask: string } {
  return { network: networkAddress(cidr), netmask: netmask(cidr) }
}

function dnsServices(servers: Iterable<string>): readonly Json[] {
  return Array.from(servers, (address) => ({ type: 'dns', address }))
}
