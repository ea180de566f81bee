import type { Facts } from '../../src/explain/facts.ts'
import type { ListeningSocket } from '../../src/host/examine/listening.ts'
import type { IpAddress } from '../../src/inventory/records/address.ts'
import type { Server } from '../../src/inventory/records/server.ts'
import { aDhcpPort, aNetwork, aPort, aSubnet } from './network-records.ts'

const ip = (text: string) => text as IpAddress

export const NETNS = 'qdhcp-n'
export const port = aPort('port-1', ['s=10.0.0.11'], { deviceId: 'server-1', deviceOwner: 'compute:nova' })
export const dhcpPort = aDhcpPort('dhcp-1', 's=10.0.0.2')

/** Where our proxy listens. */
export function metadataSocket(address: IpAddress): ListeningSocket {
  return { protocol: 'tcp', address, port: 80, owner: { pid: 2, arguments: ['firstboot', 'metadata-proxy'] } }
}

/** A guest on an isolated network, and all is well. */
export const healthy: Facts = {
  now: 1_000_000,
  slowdown: 1,
  records: {
    server: { id: 'server-1' as Server['id'], name: 'web-1' },
    port,
    fixedIp: port.fixedIps[0],
    network: aNetwork(),
    subnet: aSubnet('s', '10.0.0.0/24', { gatewayIp: ip('10.0.0.1') }),
    dhcpPort,
    routers: [],
    gatewayHolder: undefined,
    found: [port],
  },
  path: {
    kind: 'dhcp',
    netns: NETNS,
    nextHop: ip('10.0.0.2'),
    listensOn: { address: ip('169.254.169.254'), port: 80 },
    because: 'it is isolated',
    isDhcpServed: true,
  },
  host: {
    holder: 1,
    daemons: [
      { command: 'up', pid: 1 },
      { command: 'metadata-proxy', pid: 2 },
    ],
    answersOperator: true,
    troubles: [],
    freeBytes: { value: 1e12 },
    descriptors: [{ pid: 2, command: 'metadata-proxy', open: 30, limit: 1_024 }],
    newest: 999_000,
  },
  steps: { value: [] },
  plug: {
    value: {
      bridge: { name: 'brq', mtu: 1450, isUp: true },
      tap: { name: 'tap', bridge: 'brq', mtu: 1450, isUp: true },
      heardOn: 'tap',
      bridgeTables: [],
    },
  },
  inside: {
    value: {
      observed: {
        name: NETNS,
        isOurs: true,
        isEmptyName: false,
        sysctls: {},
        devices: [],
        routes: [],
        firewall: { 4: [], 6: [] },
        listening: new Set(),
        programs: [],
      },
      sockets: [metadataSocket(ip('169.254.169.254'))],
      neighbours: [],
      refused: [],
      foreignRules: [],
    },
  },
  offers: {
    value: [
      {
        server: ip('10.0.0.2'),
        address: ip('10.0.0.11'),
        router: undefined,
        mtu: 1450,
        routes: new Map([['169.254.169.254/32', ip('10.0.0.2')]]),
      },
    ],
  },
  visit: { value: { outcome: 'answered', status: 404, milliseconds: 2 } },
  claims: { value: new Map([[ip('10.0.0.11'), new Set([port.macAddress])]]) },
  way: { value: { answers: true, sendsTo: dhcpPort.macAddress, looksFor: undefined, sources: [] } },
  agent: {
    value: { socket: '/s', isHop: true, state: 'connects', reply: { status: 200, milliseconds: 2, uuid: 'server-1' } },
  },
  api: { value: { where: 'h port 1', reply: { status: 200, milliseconds: 2, uuid: undefined }, skew: 0 } },
  database: { value: { path: '/db', problem: undefined } },
  documents: { value: { broken: [], findings: [] } },
  vendorData: { value: [] },
  requests: { value: { last: undefined, count: 0, clients: [], strangers: [] } },
  lease: { value: { endsAt: undefined } },
  drive: { value: { stale: undefined } },
}
