import type { IpAddress } from './records/address.ts'
import type { FloatingIp } from './records/floating-ip.ts'
import type { NetworkId, PortId, SubnetId } from './records/ids.ts'
import type { Image } from './records/image.ts'
import type { Instance, InstanceInterface, InterfaceSubnet } from './records/instance.ts'
import { type FixedIp, type Port, tapName } from './records/port.ts'
import type { Noun, Records } from './records/records.ts'
import type { Server } from './records/server.ts'

/** What is joined to a server, looked up by the one who keeps it. */
export interface Related {
  record<N extends Noun>(noun: N, id: string): Records[N] | undefined
  /** The ports with owner `network:dhcp` on the network, in order of their ids. */
  dhcpPorts(network: NetworkId): readonly Port[]
  /** In order of their addresses. */
  floatingIps(port: PortId): readonly FloatingIp[]
}

/** Rules that Nova takes from its configuration when it records what an instance's networks are. */
export interface AssemblyOptions {
  /** `[DEFAULT] flat_injected`: a network template may be rendered for networks without DHCP. */
  readonly flatInjected: boolean
}

/** The server joined with everything a guest may read of it. A reference to nothing is left out, as Nova does with a
 *  port that is gone. */
export function assembleInstance(server: Server, related: Related, { flatInjected }: AssemblyOptions): Instance {
  const ports = server.portIds.flatMap((id) => related.record('port', id) ?? [])
  const image = server.imageId === null ? undefined : related.record('image', server.imageId)
  const groups = ports.flatMap((port) => port.securityGroupIds)
  return {
    id: server.id,
    projectId: server.projectId,
    name: server.name,
    hostname: server.hostname,
    keyName: server.keyName,
    keyData: server.keyData,
    keypair: server.keypair,
    userData: server.userData,
    properties: server.properties,
    availabilityZone: server.availabilityZone,
    launchIndex: server.launchIndex,
    reservationId: server.reservationId,
    rootDeviceName: server.rootDeviceName,
    defaultEphemeralDevice: server.defaultEphemeralDevice,
    defaultSwapDevice: server.defaultSwapDevice,
    adminPassword: server.adminPassword,
    password: server.password,
    flavorName: related.record('flavor', server.flavorId)?.name ?? '',
    imageRef: server.imageId ?? '',
    ec2: {
      instanceId: ec2Id('i', server.ec2Number),
      imageId: image === undefined ? null : ec2Id('ami', image.ec2Number),
      kernelId: ec2IdOf('aki', image?.kernelId ?? null, related),
      ramdiskId: ec2IdOf('ari', image?.ramdiskId ?? null, related),
    },
    interfaces: ports.map((port) => interfaceOf(port, related, flatInjected)),
    securityGroups: groups.map((id) => related.record('security_group', id)?.name || id),
    blockDevices: server.blockDevices,
    devices: server.devices,
    pinnedCpus: server.pinnedCpus,
    files: server.files,
    bootRoles: server.bootRoles,
  }
}

function interfaceOf(port: Port, related: Related, injected: boolean): InstanceInterface {
  const subnetIds = [...new Set(port.fixedIps.map(({ subnetId }) => subnetId))]
  return {
    portId: port.id,
    macAddress: port.macAddress,
    vifType: port.vifType,
    deviceName: tapName(port),
    networkId: port.networkId,
    mtu: related.record('network', port.networkId)?.mtu ?? null,
    injected,
    subnets: subnetIds.flatMap((id) => subnetOf(id, port, related) ?? []),
  }
}

function subnetOf(id: SubnetId, port: Port, related: Related): InterfaceSubnet | undefined {
  const subnet = related.record('subnet', id)
  if (subnet === undefined) return undefined
  const floatingIps = related.floatingIps(port.id)
  return {
    ipVersion: subnet.ipVersion,
    cidr: subnet.cidr,
    gateway: subnet.gatewayIp,
    dnsServers: subnet.dnsNameservers,
    routes: subnet.hostRoutes.map(({ destination, nexthop }) => ({ destination, gateway: nexthop })),
    dhcpServer: dhcpServerOf(id, related.dhcpPorts(port.networkId)),
    enableDhcp: subnet.enableDhcp,
    ipv6AddressMode: subnet.ipv6AddressMode,
    addresses: addressesIn(id, port.fixedIps).map((address) => ({
      address,
      floatingIps: floatingIps.filter((floating) => floating.fixedIpAddress === address).map(({ address }) => address),
    })),
  }
}

function dhcpServerOf(subnet: SubnetId, dhcpPorts: readonly Port[]): IpAddress | null {
  return dhcpPorts.flatMap((port) => addressesIn(subnet, port.fixedIps))[0] ?? null
}

function addressesIn(subnet: SubnetId, fixedIps: readonly FixedIp[]): readonly IpAddress[] {
  return fixedIps.filter(({ subnetId }) => subnetId === subnet).map(({ ipAddress }) => ipAddress)
}

function ec2IdOf(prefix: string, image: Image['id'] | null, related: Related): string | null {
  const found = image === null ? undefined : related.record('image', image)
  return found === undefined ? null : ec2Id(prefix, found.ec2Number)
}

/** `i-0000000f`: lower-case hexadecimal, at least eight digits. */
export function ec2Id(prefix: string, number: number): string {
  return `${prefix}-${number.toString(16).padStart(8, '0')}`
}
