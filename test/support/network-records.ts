import { type Cidr, type IpAddress, ipVersion, type MacAddress } from '../../src/inventory/records/address.ts'
import type { NetworkId, PortId, ProjectId, RouterId, SubnetId } from '../../src/inventory/records/ids.ts'
import type { Network } from '../../src/inventory/records/network.ts'
import type { Port } from '../../src/inventory/records/port.ts'
import type { Router } from '../../src/inventory/records/router.ts'
import type { HostRoute, Subnet } from '../../src/inventory/records/subnet.ts'

/** Records with what a test does not care about filled in. Everything is of the network NETWORK unless said otherwise. */

export const NETWORK = 'aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa' as NetworkId
const PROJECT = '11111111111111111111111111111111' as ProjectId

export function aNetwork(fields: Partial<Network> = {}): Network {
  return {
    id: NETWORK,
    projectId: PROJECT,
    name: 'n',
    adminStateUp: true,
    mtu: 1450,
    shared: false,
    external: false,
    ...fields,
  }
}

export function aSubnet(id: string, cidr: string, fields: Partial<Subnet> = {}): Subnet {
  return {
    id: id as SubnetId,
    networkId: NETWORK,
    projectId: PROJECT,
    name: '',
    ipVersion: ipVersion(cidr as Cidr),
    cidr: cidr as Cidr,
    gatewayIp: null,
    allocationPools: [],
    enableDhcp: true,
    dnsNameservers: [],
    hostRoutes: [],
    ipv6AddressMode: null,
    ipv6RaMode: null,
    advancedServiceProviders: [],
    ...fields,
  }
}

/** @param addresses  `subnet id=address` */
export function aPort(id: string, addresses: readonly string[], fields: Partial<Port> = {}): Port {
  return {
    id: id as PortId,
    networkId: NETWORK,
    projectId: PROJECT,
    name: '',
    macAddress: macFrom(id),
    adminStateUp: true,
    fixedIps: addresses.map((text) => {
      const [subnetId = '', ipAddress = ''] = text.split('=')
      return { subnetId: subnetId as SubnetId, ipAddress: ipAddress as IpAddress }
    }),
    securityGroupIds: [],
    deviceId: '',
    deviceOwner: '',
    vnicType: 'normal',
    vifType: 'bridge',
    portSecurityEnabled: true,
    allowedAddressPairs: [],
    ...fields,
  }
}

export function aDhcpPort(id: string, ...addresses: string[]): Port {
  return aPort(id, addresses, { deviceOwner: 'network:dhcp' })
}

export function aRouterPort(id: string, ...addresses: string[]): Port {
  return aPort(id, addresses, { deviceOwner: 'network:router_interface', deviceId: 'r1' })
}

export function aRouter(id: string, fields: Partial<Router> = {}): Router {
  return {
    id: id as RouterId,
    projectId: PROJECT,
    name: 'r',
    adminStateUp: true,
    externalGateway: null,
    routes: [],
    ...fields,
  }
}

export function aRoute(destination: string, nexthop: string): HostRoute {
  return { destination: destination as Cidr, nexthop: nexthop as IpAddress }
}

/** Records as the inventory holds them. */
export function byId<Item extends { readonly id: string }>(records: readonly Item[]): ReadonlyMap<string, Item> {
  return new Map(records.map((one) => [one.id, one]))
}

/** Any, but always the same for the same id. */
function macFrom(id: string): MacAddress {
  const hash = [...id].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 0x100_0000, 7)
  return `fa:16:3e:${hash
    .toString(16)
    .padStart(6, '0')
    .replaceAll(/..(?=.)/g, '$&:')}` as MacAddress
}
