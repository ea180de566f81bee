import type { Context } from '../src/documents/context.ts'
import { parseCidr, parseIpAddress, parseMacAddress } from '../src/inventory/records/address.ts'
import type { InstanceId, NetworkId, PortId, ProjectId } from '../src/inventory/records/ids.ts'
import type {
  Instance,
  InstanceInterface,
  InterfaceAddress,
  InterfaceSubnet,
} from '../src/inventory/records/instance.ts'

/** Small records for unit tests: a plain instance, an interface and subnets, to be changed where a test needs it. */
export function exampleInstance(changes: Partial<Instance> = {}): Instance {
  return {
    id: 'b65cee2f-8c69-4aeb-be2f-f79742548fc2' as InstanceId,
    projectId: 'proj' as ProjectId,
    name: 'test',
    hostname: 'test',
    keyName: 'key',
    keyData: 'ssh-ed25519 AAAA key',
    keypair: { name: 'key', type: 'ssh', data: 'ssh-ed25519 AAAA key' },
    userData: Buffer.from('#!/bin/sh\n').toString('base64'),
    availabilityZone: 'nova',
    launchIndex: 0,
    reservationId: 'r-00000001',
    rootDeviceName: '/dev/vda',
    defaultEphemeralDevice: null,
    defaultSwapDevice: null,
    adminPassword: null,
    password: '',
    properties: [],
    flavorName: 'm1.small',
    imageRef: '15de44d8-edac-5632-8c18-e840bdfc9ca4',
    ec2: { instanceId: 'i-00000001', imageId: 'ami-00000001', kernelId: null, ramdiskId: null },
    interfaces: [],
    securityGroups: ['default'],
    blockDevices: [],
    devices: [],
    pinnedCpus: [],
    files: [],
    bootRoles: [],
    ...changes,
  }
}

export function exampleContext(changes: Partial<Context> = {}): Context {
  return {
    release: 'zed',
    dhcpDomain: 'novalocal',
    carrier: 'http',
    today: '2026-08-01',
    randomSeed: new Uint8Array(512),
    requesterAddress: null,
    vendorData: { providers: ['StaticJSON'], static: undefined, dynamic: [] },
    ...changes,
  }
}

export function exampleInterface(changes: Partial<InstanceInterface> = {}): InstanceInterface {
  return {
    portId: '7f3a9c10-52de-4b0c-9a41-0d6f1c2b7e55' as PortId,
    macAddress: parseMacAddress('fa:16:3e:41:0c:7a') ?? fail(),
    vifType: 'ovs',
    deviceName: 'tap7f3a9c10-52',
    networkId: 'a1c5f2d4-0b6e-4f57-8c3d-5e2f9b7a6041' as NetworkId,
    mtu: 1442,
    injected: false,
    subnets: [exampleSubnet()],
    ...changes,
  }
}

/** 198.51.100.0/24, static, without DNS. */
export function exampleSubnet(changes: Partial<InterfaceSubnet> = {}): InterfaceSubnet {
  return {
    ipVersion: 4,
    cidr: cidr('198.51.100.0/24'),
    gateway: ip('198.51.100.1'),
    dnsServers: [],
    routes: [],
    dhcpServer: null,
    enableDhcp: false,
    ipv6AddressMode: null,
    addresses: [fixedIp('198.51.100.23')],
    ...changes,
  }
}

export function ip(text: string) {
  return parseIpAddress(text) ?? fail()
}

export function cidr(text: string) {
  return parseCidr(text) ?? fail()
}

export function fixedIp(address: string, ...floatingIps: readonly string[]): InterfaceAddress {
  return { address: ip(address), floatingIps: floatingIps.map(ip) }
}

function fail(): never {
  throw new Error('malformed address in a test')
}
