import type { RecordFacts } from '../../../explain/facts.ts'
import {
  type Cidr,
  contains,
  type IpAddress,
  ipVersion,
  type MacAddress,
  networkAddress,
  parseCidr,
  prefixLength,
} from '../../../inventory/records/address.ts'
import type { NetworkId, PortId, ProjectId, SubnetId } from '../../../inventory/records/ids.ts'
import type { Network } from '../../../inventory/records/network.ts'
import type { Port } from '../../../inventory/records/port.ts'
import type { Subnet } from '../../../inventory/records/subnet.ts'
import { fixedAddresses, networkIdOf, ownMacs, words } from '../../../metadata-agent/ovn/southbound.ts'
import type { Rows } from '../../../ovsdb/ovsdb.ts'
import type { PortRow } from './subject.ts'
import { DATAPATH_BINDING, PORT_BINDING } from './tables.ts'

type Records = Omit<RecordFacts, 'found'>

const NOBODY: Records = {
  server: undefined,
  port: undefined,
  fixedIp: undefined,
  network: undefined,
  subnet: undefined,
  dhcpPort: undefined,
  routers: [],
  gatewayHolder: undefined,
}

/** What there would be in an inventory, as far as the Southbound tells: ML2/OVN writes Neutron's records into external_ids.
 *  Routers are known to the Southbound as other ports, and not looked for. Pure. */
export function southboundRecords(
  rows: Rows | undefined,
  row: PortRow | undefined,
  metadataPort: string | undefined,
): Records {
  if (row === undefined || rows === undefined) return NOBODY
  const datapath = rows.get(DATAPATH_BINDING, row.datapath)
  const networkId = (datapath && networkIdOf(datapath)) ?? ('' as NetworkId)
  const [metadata] = metadataPort === undefined ? [] : rows.find(PORT_BINDING, 'byName', metadataPort)
  const port = portOf(row, networkId)
  const fixedIp = port.fixedIps.find(({ ipAddress }) => ipVersion(ipAddress) === 4) ?? port.fixedIps[0]
  return {
    ...NOBODY,
    server: port.deviceId === '' ? undefined : { id: port.deviceId as never, name: port.deviceId },
    port,
    fixedIp,
    network: networkOf(networkId, datapath?.external_ids.get('name2') ?? '', metadata),
    subnet: fixedIp && subnetOf(row, networkId, fixedIp.ipAddress),
    dhcpPort: metadata && portOf(metadata, networkId),
  }
}

function portOf(row: PortRow, networkId: NetworkId): Port {
  const id = (key: string) => row.external_ids.get(`neutron:${key}`) ?? ''
  return {
    id: row.logical_port as PortId,
    networkId,
    projectId: id('project_id') as ProjectId,
    name: id('port_name'),
    macAddress: ownMacs(row)[0] ?? ('' as MacAddress),
    adminStateUp: true,
    fixedIps: fixedAddresses(row).map((ipAddress) => ({ subnetId: '' as SubnetId, ipAddress })),
    securityGroupIds: [],
    deviceId: id('device_id'),
    deviceOwner: id('device_owner'),
    vnicType: 'normal',
    vifType: 'ovs',
    portSecurityEnabled: true,
    allowedAddressPairs: [],
  }
}

function networkOf(id: NetworkId, name: string, metadata: PortRow | undefined): Network {
  return {
    id,
    projectId: '' as ProjectId,
    name,
    adminStateUp: true,
    // 0: nobody says, as in clouds before Neutron 2023.1.
    mtu: Number(metadata?.external_ids.get('neutron:mtu') ?? ''),
    shared: false,
    external: false,
  }
}

function subnetOf(row: PortRow, networkId: NetworkId, address: IpAddress): Subnet | undefined {
  const own = words(row.external_ids.get('neutron:cidrs') ?? '')
    .map(parseCidr)
    .find((cidr) => cidr !== undefined && contains(cidr, address))
  if (own === undefined) return undefined
  return {
    id: '' as SubnetId,
    networkId,
    projectId: '' as ProjectId,
    name: '',
    ipVersion: ipVersion(address),
    cidr: `${networkAddress(own)}/${prefixLength(own)}` as Cidr,
    gatewayIp: null,
    allocationPools: [],
    enableDhcp: true,
    dnsNameservers: [],
    hostRoutes: [],
    ipv6AddressMode: null,
    ipv6RaMode: null,
    advancedServiceProviders: [],
  }
}
