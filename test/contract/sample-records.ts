import type { Cidr, IpAddress, MacAddress } from '../../src/inventory/records/address.ts'
import type {
  FlavorId,
  FloatingIpId,
  ImageId,
  InstanceId,
  KeypairId,
  NetworkId,
  PortId,
  ProjectId,
  RouterId,
  SecurityGroupId,
  SubnetId,
} from '../../src/inventory/records/ids.ts'
import type { Port } from '../../src/inventory/records/port.ts'
import type { Change, Noun, Records } from '../../src/inventory/records/records.ts'
import type { Server } from '../../src/inventory/records/server.ts'

/** A UUID that tells which noun and which one it is. */
function uuid(noun: number, number: number): string {
  return `${String(noun).padStart(8, '0')}-0000-4000-8000-${String(number).padStart(12, '0')}`
}

export const PROJECT = '0123456789abcdef0123456789abcdef' as ProjectId
export const FLAVOR = uuid(2, 1) as FlavorId
export const IMAGE = uuid(3, 1) as ImageId
export const GROUP = uuid(4, 1) as SecurityGroupId
export const NETWORK = uuid(5, 1) as NetworkId
export const EXTERNAL = uuid(5, 2) as NetworkId
export const SUBNET = uuid(6, 1) as SubnetId
export const ROUTER = uuid(7, 1) as RouterId
export const portId = (number: number) => uuid(8, number) as PortId
export const serverId = (number: number) => uuid(9, number) as InstanceId

/** One of each noun that servers need, with every nested list filled and awkward texts in it. */
export const surroundings: readonly Change[] = [
  put('project', { id: PROJECT, name: 'blue ✓', metadataTokens: 'optional' }),
  put('keypair', {
    id: uuid(1, 1) as KeypairId,
    projectId: PROJECT,
    name: 'me',
    type: 'ssh',
    publicKey: 'ssh-ed25519 AAAA me\n',
  }),
  put('flavor', { id: FLAVOR, name: 'm1.small', vcpus: 1, ramMib: 2048, diskGib: 20, ephemeralGib: 0, swapMib: 0 }),
  put('image', {
    id: IMAGE,
    name: 'debian',
    ec2Number: 1,
    kernelId: null,
    ramdiskId: null,
    properties: [
      ['10', 'ten first'],
      ['2', 'two later'],
    ],
  }),
  put('security_group', { id: GROUP, projectId: PROJECT, name: 'default', description: '' }),
  put('network', network(NETWORK, false)),
  put('network', network(EXTERNAL, true)),
  put('subnet', {
    id: SUBNET,
    networkId: NETWORK,
    projectId: PROJECT,
    name: 'blue-subnet',
    ipVersion: 4,
    cidr: '10.0.0.0/24' as Cidr,
    gatewayIp: '10.0.0.1' as IpAddress,
    allocationPools: [{ start: '10.0.0.2' as IpAddress, end: '10.0.0.254' as IpAddress }],
    enableDhcp: true,
    dnsNameservers: ['10.0.0.53' as IpAddress],
    hostRoutes: [{ destination: '172.16.0.0/12' as Cidr, nexthop: '10.0.0.254' as IpAddress }],
    ipv6AddressMode: null,
    ipv6RaMode: null,
    advancedServiceProviders: ['lb-1'],
  }),
  put('router', {
    id: ROUTER,
    projectId: PROJECT,
    name: 'r',
    adminStateUp: false,
    externalGateway: { networkId: EXTERNAL, enableSnat: true, fixedIps: [] },
    routes: [],
  }),
]

/** A server with one port; its address ends in `number`. */
export function serverWithPort(number: number): readonly Change[] {
  return [put('port', port(number)), put('server', server(number))]
}

export function port(number: number, differences: Partial<Port> = {}): Port {
  return {
    id: portId(number),
    networkId: NETWORK,
    projectId: PROJECT,
    name: '',
    macAddress: `fa:16:3e:00:00:${number.toString(16).padStart(2, '0')}` as MacAddress,
    adminStateUp: true,
    fixedIps: [{ subnetId: SUBNET, ipAddress: `10.0.0.${number}` as IpAddress }],
    securityGroupIds: [GROUP],
    deviceId: serverId(number),
    deviceOwner: 'compute:nova',
    vnicType: 'normal',
    vifType: 'ovs',
    portSecurityEnabled: true,
    allowedAddressPairs: [],
    ...differences,
  }
}

export function server(number: number, differences: Partial<Server> = {}): Server {
  return {
    id: serverId(number),
    projectId: PROJECT,
    userId: '',
    name: `web ${number} 世界`,
    hostname: `web-${number}`,
    flavorId: FLAVOR,
    imageId: IMAGE,
    keyName: 'me',
    keyData: 'ssh-ed25519 AAAA me\n',
    keypair: { name: 'me', type: 'ssh', data: 'ssh-ed25519 AAAA me\n' },
    userData: '',
    properties: [['café', 'a\\b\n"c']],
    availabilityZone: null,
    launchIndex: 0,
    reservationId: 'r-00000000',
    ec2Number: number,
    portIds: [portId(number)],
    rootDeviceName: '/dev/vda',
    defaultEphemeralDevice: null,
    defaultSwapDevice: null,
    blockDevices: [],
    devices: [],
    pinnedCpus: [[5, 1], [2]],
    configDrive: true,
    adminPassword: 'S3cret!',
    files: [{ path: '/etc/motd', contents: 'AAEC' }],
    bootRoles: ['member'],
    password: '',
    hypervisor: 'external',
    ...differences,
  }
}

/** A floating IP on port `number`. */
export function floatingIp(number: number): Change {
  return put('floating_ip', {
    id: uuid(10, number) as FloatingIpId,
    projectId: PROJECT,
    networkId: EXTERNAL,
    address: `198.51.100.${number}` as IpAddress,
    portId: portId(number),
    fixedIpAddress: `10.0.0.${number}` as IpAddress,
  })
}

export function put<N extends Noun>(noun: N, record: Records[N]): Change {
  return { op: 'put', noun, record } as Change
}

function network(id: NetworkId, external: boolean) {
  return { id, projectId: PROJECT, name: 'n', adminStateUp: true, mtu: 1450, shared: external, external }
}
