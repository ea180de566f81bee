import { TRIALS } from '../../src/doctor/checks/kernel.ts'
import { PROGRAMS } from '../../src/doctor/checks/programs.ts'
import type { Facts } from '../../src/doctor/facts.ts'
import type { IpAddress } from '../../src/inventory/records/address.ts'

export const NETNS = 'qdhcp-0835bc8c-d2ad-4eed-b5e8-d45bd6aff662'
export const STATE = '/var/lib/firstboot'
export const DHCP = `${STATE}/dhcp/0835bc8c-d2ad-4eed-b5e8-d45bd6aff662`
export const OWN_INODE = 4_026_531_840
const INSIDE = 4_026_532_001

/** The facts of a host that serves one network, and on which nothing is wrong. */
export const healthy: Facts = {
  programs: new Map(
    PROGRAMS.map(({ program }) => [program, { says: `${program} v9.0.0 (nf_tables)`, version: '9.0.0' }]),
  ),
  kernel: {
    release: '6.1.0',
    namespaceProblem: undefined,
    trials: new Map(TRIALS.map(({ name }) => [name, { value: undefined }])),
    hasIpv6: true,
    isIpv6Disabled: false,
    legacyTables: { value: [] },
    isBridgeFiltered: false,
    forwardPolicy: { unknown: 'it was not asked for' },
  },
  own: {
    capabilities: { value: (1n << 41n) - 1n },
    openFiles: { value: { soft: 1_024, hard: 1_048_576 } },
    inotifyWatches: { value: 65_536 },
    inotifyInstances: { value: 128 },
  },
  network: {
    emptyNames: [],
    marked: {
      value: [
        { name: NETNS, kind: 'namespace', statePath: STATE },
        { name: 'brq0835bc8c-d2', kind: 'bridge', statePath: STATE },
      ],
    },
    listening: [
      {
        protocol: 'tcp',
        address: '127.0.0.1' as IpAddress,
        port: 8775,
        owner: { pid: 9, arguments: ours('metadata-api') },
      },
      { protocol: 'udp', address: '0.0.0.0' as IpAddress, port: 67, owner: { pid: 30, arguments: ['dnsmasq'] } },
    ],
    listeningInside: {
      value: new Map([
        [
          NETNS,
          [
            {
              protocol: 'tcp',
              address: '169.254.169.254' as IpAddress,
              port: 80,
              owner: { pid: 8, arguments: ours('metadata-proxy') },
            },
          ],
        ],
      ]),
    },
    namesByInode: new Map([[INSIDE, NETNS]]),
    ownInode: OWN_INODE,
  },
  neighbours: {
    value: {
      dnsmasq: [
        { pid: 20, arguments: [], netnsInode: INSIDE, directory: DHCP, interfaces: ['ns-1'] },
        // libvirt's
        { pid: 30, arguments: [], netnsInode: OWN_INODE, directory: undefined, interfaces: ['virbr0'] },
      ],
      neutronAgents: [],
      firstboots: [],
    },
  },
  state: {
    path: STATE,
    exists: true,
    isWritable: true,
    disk: { value: { freeBytes: 1e12, freeFiles: 1e6 } },
    holder: 7,
    staleSockets: { value: [] },
    newest: Date.UTC(2026, 10, 20),
    secretModes: new Map([[`${STATE}/metadata_proxy_shared_secret`, 0o600]]),
  },
  owners: new Map([[STATE, { exists: true, holder: 7 }]]),
  now: Date.UTC(2026, 10, 21),
  node: { running: '24.1.0', oldest: '24' },
  configuration: { unknown: [], wrong: [] },
  secrets: {
    value: [
      { side: 'agent', where: 'the agent', digest: 'a' },
      { side: 'api', where: 'the API', digest: 'a' },
    ],
  },
  ovn: {
    programs: { value: new Set(['ovsdb-server', 'ovs-vswitchd', 'ovn-controller']) },
    hasKernelModule: true,
    local: { remote: 'unix:/run/openvswitch/db.sock', problem: undefined },
    southbound: { remote: 'ssl:192.0.2.1:6642', problem: undefined, lacks: { value: [] } },
    chassis: {
      value: {
        systemId: 'compute-1',
        bridge: 'br-int',
        datapathType: 'system',
        ports: [],
      },
    },
    foreignNamespaces: [],
  },
}

function ours(command: string): readonly string[] {
  return ['/usr/bin/node', '/opt/firstboot/bin/firstboot.js', command]
}
