import type { IpAddress } from '../../inventory/records/address.ts'
import type { PortId } from '../../inventory/records/ids.ts'
import type { Network } from '../../inventory/records/network.ts'
import type { Port } from '../../inventory/records/port.ts'
import type { Subnet } from '../../inventory/records/subnet.ts'
import { ovnMetadataPort, viewNetwork } from '../dhcp/network-view.ts'
import { type DhcpValues, dhcpOptions } from './dhcp-options.ts'
import { dnsRecords } from './dns-records.ts'
import { guestPort, kindOf, metadataPort, routerInterface, servicePort } from './logical-port.ts'
import { localnetName, macOf, switchName } from './names.ts'
import type { LogicalPort, SwitchColumns, Texts } from './rows.ts'

export interface LogicalSwitch {
  readonly name: string
  readonly columns: SwitchColumns
  /** By name. */
  readonly ports: readonly (readonly [string, LogicalPort])[]
  /** By subnet. */
  readonly dhcp: readonly (readonly [string, DhcpValues])[]
  /** Empty where nothing has a name. */
  readonly dns: Texts
}

export interface NetworkRecords {
  readonly network: Network
  readonly subnets: readonly Subnet[]
  readonly ports: readonly Port[]
  /** What the network is plugged into; undefined: it is one of tunnels. */
  readonly physical: string | undefined
  /** The floating IP of each port that has one. */
  readonly floatingIps: ReadonlyMap<PortId, IpAddress>
  /** Of those that servers have. */
  readonly hostnames: ReadonlyMap<PortId, string>
  /** What they are in; empty for none. */
  readonly dnsDomain: string
}

/** A logical switch with its ports (without those of gateways), and what DHCP says on it. Pure. */
export function logicalSwitch(records: NetworkRecords): LogicalSwitch {
  const { network, physical, floatingIps, dnsDomain } = records
  const view = viewNetwork(network, records.subnets, records.ports)
  const metadata = ovnMetadataPort(view) ?? view.dhcpPort
  const dhcp = view.subnets.flatMap((subnet) => {
    const values = dhcpOptions(subnet, { network, metadataPort: metadata, dnsDomain }, macOf(subnet.id))
    return values === undefined ? [] : [[subnet.id as string, values] as const]
  })
  const served = new Set(dhcp.map(([id]) => id))
  const made = {
    guest: (port: Port) => guestPort(port, view.subnets, served, floatingIps.get(port.id)),
    metadata: (port: Port) => metadataPort(port, network, view.subnets),
    router: (port: Port) => routerInterface(port, view.subnets),
  }
  const ports = view.ports.flatMap((port): LogicalSwitch['ports'] => {
    const kind = kindOf(port, metadata)
    return kind === undefined ? [] : [[port.id, made[kind](port)]]
  })
  return {
    name: switchName(network.id),
    columns: { other_config: switchConfig(network, physical), external_ids: switchIds(network, physical) },
    ports: physical === undefined ? ports : [...ports, localnet(network, physical)],
    dhcp,
    dns: dnsRecords(view.ports, records.hostnames, dnsDomain),
  }
}

/** Where the physical network is plugged in, on each chassis with a bridge to it. */
function localnet(network: Network, physical: string): readonly [string, LogicalPort] {
  const port = servicePort(
    { networkId: network.id, adminStateUp: true },
    {
      type: 'localnet',
      addresses: ['unknown'],
      options: new Map([
        ['network_name', physical],
        ['mcast_flood_reports', 'true'],
        ['mcast_flood', 'false'],
        ['localnet_learn_fdb', 'false'],
      ]),
      external_ids: new Map([['neutron:provnet-physical-network', physical]]),
    },
  )
  return [localnetName(network.id), port]
}

function switchConfig({ external }: Network, physical: string | undefined): Texts {
  return new Map([
    ['mcast_snoop', 'false'],
    ['mcast_flood_unregistered', 'false'],
    ['vlan-passthru', 'false'],
    ...(physical === undefined ? [] : [['fdb_age_threshold', '0'] as const]),
    ...(external ? [['broadcast-arps-to-all-routers', 'true'] as const] : []),
  ])
}

function switchIds({ name, mtu }: Network, physical: string | undefined): Texts {
  return new Map([
    ['neutron:availability_zone_hints', ''],
    ['neutron:mtu', String(mtu)],
    ['neutron:network_name', name],
    ['neutron:provnet-network-type', physical === undefined ? 'geneve' : 'flat'],
    ...(physical === undefined ? [] : [['neutron:provnet-physical-network', physical] as const]),
  ])
}
