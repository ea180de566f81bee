import { ipBatch } from '../src/host/iproute.ts'
import { hasIpv6 } from '../src/host/ipv6.ts'
import type { Listener } from '../src/host/namespace.ts'
import { netnsInode, netnsPath } from '../src/host/netns.ts'
import type { IpAddress } from '../src/inventory/records/address.ts'
import type { InstanceId, NetworkId, PortId } from '../src/inventory/records/ids.ts'
import type { Change } from '../src/inventory/records/records.ts'
import { PROJECT, put, server, surroundings } from '../test/contract/sample-records.ts'
import { aDhcpPort, aNetwork, aPort, aSubnet } from '../test/support/network-records.ts'

// The same in each of many namespaces, and in each the same addresses:
//
//   bench-<n>
//   ns-<n>  169.254.169.254/32  fe80::a9fe:a9fe/64   where the proxy listens, port 80
//           10.0.0.10/24                             the guest's, to ask from
//     |
//   tap-<n>, outside, on no bridge

export const GUEST = '10.0.0.10'

export interface BenchNetwork {
  readonly id: NetworkId
  readonly netns: string
  readonly device: string
  /** The device's other end, outside. */
  readonly tap: string
  /** What its one guest reads as its instance-id. */
  readonly ec2InstanceId: string
}

/** @param count  counted from 1, so that none has the EC2 number 0 */
export function benchNetworks(count: number): readonly BenchNetwork[] {
  return Array.from({ length: count }, (_, i) => ({
    id: uuid(1, i + 1) as NetworkId,
    netns: `bench-${i + 1}`,
    device: `ns-${i + 1}`,
    tap: `tap-${i + 1}`,
    ec2InstanceId: `i-${(i + 1).toString(16).padStart(8, '0')}`,
  }))
}

/** Where the datapath would listen for one of them. */
export function listenersOf({ id, device }: BenchNetwork): readonly Listener[] {
  const listener = { port: 80, stamp: { networkId: id } }
  const ipv4 = { ...listener, address: '169.254.169.254' as IpAddress, device: null }
  const ipv6 = { ...listener, address: 'fe80::a9fe:a9fe' as IpAddress, device }
  return hasIpv6() ? [ipv4, ipv6] : [ipv4]
}

/** Each with a subnet, a DHCP port and one guest: what an inventory holds of a network at the least. */
export function recordsOf(networks: readonly BenchNetwork[]): readonly Change[] {
  return [
    ...surroundings,
    ...networks.flatMap(({ id: networkId }, i) => {
      const number = i + 1
      const [subnetId, portId, serverId] = [uuid(2, number), uuid(4, number) as PortId, uuid(5, number) as InstanceId]
      const owner = { deviceId: serverId, deviceOwner: 'compute:nova', projectId: PROJECT }
      return [
        put('network', aNetwork({ id: networkId })),
        put('subnet', aSubnet(subnetId, '10.0.0.0/24', { networkId })),
        put('port', { ...aDhcpPort(uuid(3, number), `${subnetId}=10.0.0.2`), networkId }),
        put('port', { ...aPort(portId, [`${subnetId}=${GUEST}`], owner), networkId }),
        put('server', server(number, { id: serverId, portIds: [portId] })),
      ]
    }),
  ]
}

/** Makes the namespaces, a few at a time. They go with the sandbox. */
export async function makeNamespaces(networks: readonly BenchNetwork[]): Promise<void> {
  await ipBatch(networks.map(({ netns }) => ['netns', 'add', netns]))
  await ipBatch(networks.flatMap(({ netns, device, tap }) => plugging(netns, device, tap)))
  const waiting = networks.values()
  const worker = async () => {
    for (const { netns, device } of waiting) await ipBatch(addressing(device), netns)
  }
  await Promise.all([worker(), worker()])
}

function plugging(netns: string, device: string, tap: string): readonly (readonly string[])[] {
  return [
    ['link', 'add', tap, 'type', 'veth', 'peer', 'name', device, 'netns', netns],
    ['link', 'set', tap, 'up'],
  ]
}

function addressing(device: string): readonly (readonly string[])[] {
  const ipv6 = ['address', 'add', 'fe80::a9fe:a9fe/64', 'dev', device, 'nodad']
  return [
    ['link', 'set', 'lo', 'up'],
    ['address', 'add', '169.254.169.254/32', 'dev', device],
    ['address', 'add', `${GUEST}/24`, 'dev', device],
    ['link', 'set', device, 'up'],
    ...(hasIpv6() ? [ipv6] : []),
  ]
}

/** Takes them away again. */
export async function deleteNamespaces(networks: readonly BenchNetwork[]): Promise<void> {
  const there = networks.filter(({ netns }) => netnsInode(netnsPath(netns)) !== undefined)
  await ipBatch(there.map(({ netns }) => ['netns', 'delete', netns]))
}

function uuid(noun: number, number: number): string {
  return `b000000${noun}-0000-4000-8000-${String(number).padStart(12, '0')}`
}
