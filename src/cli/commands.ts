import { nearest } from '../text/nearest.ts'
import type { Command } from './command.ts'

/** One line of `firstboot --help`, and where the command is. */
export interface Row {
  readonly name: string
  readonly group: 'try' | 'inventory' | 'observe' | 'daemon' | 'settings'
  /** It stands in for one of the field's, or several, and reads their configuration files. */
  readonly takesFiles?: true
  readonly summary: string
  readonly load: () => Promise<Command>
}

export const rows: readonly Row[] = [
  {
    name: 'lab',
    group: 'try',
    summary: 'Bring up networks and guests in a sandbox and watch them boot (npm start)',
    load: async () => (await import('./lab.ts')).lab,
  },
  {
    name: 'exec',
    group: 'try',
    summary: 'Run a command in a guest',
    load: async () => (await import('./exec.ts')).exec,
  },
  {
    name: 'console',
    group: 'try',
    summary: 'Follow what a guest writes to its serial console',
    load: async () => (await import('./console.ts')).consoleCommand,
  },
  {
    name: 'sandbox',
    group: 'try',
    summary: 'Run a command where nothing can touch this machine’s network',
    load: async () => (await import('./sandbox.ts')).sandbox,
  },
  {
    name: 'serve',
    group: 'try',
    summary: 'A metadata service to test images against: no root, faults on demand, a verdict',
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    name: 'apply',
    group: 'inventory',
    summary: 'Make the inventory as a file describes it',
    load: async () => (await import('./apply.ts')).apply,
  },
  {
    name: 'list',
    group: 'inventory',
    summary: 'List servers, ports, networks, ...',
    load: async () => (await import('./list.ts')).list,
  },
  {
    name: 'show',
    group: 'inventory',
    summary: 'Show one of them',
    load: async () => (await import('./show.ts')).show,
  },
  {
    name: 'render',
    group: 'inventory',
    summary: 'Print what a guest would read, without any network',
    load: async () => (await import('./render.ts')).render,
  },
  {
    name: 'config-drive',
    group: 'inventory',
    summary: 'Build, read and verify config drives: the same documents on a disk',
    load: async () => (await import('./config-drive.ts')).configDrive,
  },
  {
    name: 'vendor-data',
    group: 'inventory',
    summary: 'Ask the targets of dynamic vendor data about a server',
    load: async () => (await import('./vendor-data.ts')).vendorData,
  },
  {
    name: 'password',
    group: 'inventory',
    summary: 'Read what a guest posted as its password, or let it post again',
    load: async () => (await import('./password.ts')).password,
  },
  {
    name: 'lint',
    group: 'inventory',
    summary: 'Find what would go wrong at a server’s first boot',
    load: async () => (await import('./lint.ts')).lint,
  },
  {
    name: 'diff',
    group: 'inventory',
    summary: 'Compare what two servers read, or one server at two versions',
    load: async () => (await import('./diff.ts')).diff,
  },
  {
    name: 'explain',
    group: 'observe',
    summary: 'Why does this guest get no metadata? Its whole way, and the broken place',
    load: async () => (await import('./explain.ts')).explain,
  },
  {
    name: 'doctor',
    group: 'observe',
    summary: 'Examine this host: what is missing, left behind or in the way',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'requests',
    group: 'observe',
    summary: 'The last requests of a server, and where the time went',
    load: async () => (await import('./requests.ts')).requests,
  },
  {
    name: 'tail',
    group: 'observe',
    summary: 'Watch guests ask',
    load: async () => (await import('./tail.ts')).tail,
  },
  {
    name: 'timeline',
    group: 'observe',
    summary: 'Draw a server’s last boot as its requests tell it',
    load: async () => (await import('./timeline.ts')).timeline,
  },
  {
    name: 'up',
    group: 'daemon',
    takesFiles: true,
    summary: 'Everything for one host: DHCP, metadata, guests',
    load: async () => (await import('./up.ts')).up,
  },
  {
    name: 'datapath',
    group: 'observe',
    summary: 'Ask the running firstboot what it keeps on this machine and why, or change an option',
    load: async () => (await import('./datapath.ts')).datapath,
  },
  {
    name: 'metadata-api',
    group: 'daemon',
    takesFiles: true,
    summary: 'The documents over HTTP, as nova-api-metadata (8775)',
    load: async () => (await import('./metadata-api.ts')).metadataApi,
  },
  {
    name: 'metadata-agent',
    group: 'daemon',
    takesFiles: true,
    summary: 'Finds who asks and signs, as neutron-metadata-agent (unix socket)',
    load: async () => (await import('./metadata-agent.ts')).metadataAgent,
  },
  {
    name: 'ovn-metadata-agent',
    group: 'daemon',
    takesFiles: true,
    summary: 'Metadata on a chassis of OVN, as neutron-ovn-metadata-agent',
    load: async () => (await import('./ovn-metadata-agent.ts')).ovnMetadataAgent,
  },
  {
    name: 'dhcp-agent',
    group: 'daemon',
    takesFiles: true,
    summary: 'DHCP, routers and the metadata address, as neutron-dhcp-agent and neutron-l3-agent',
    load: async () => (await import('./dhcp-agent.ts')).dhcpAgent,
  },
  {
    name: 'metadata-proxy',
    group: 'daemon',
    summary: 'Answers guests in all namespaces, without privileges (started by up and the agents of namespaces)',
    load: async () => (await import('./metadata-proxy.ts')).metadataProxy,
  },
  {
    name: 'socket-keeper',
    group: 'daemon',
    summary: 'Keeps sockets in namespaces while daemons restart (started by up and the agents of namespaces)',
    load: async () => (await import('./socket-keeper.ts')).socketKeeper,
  },
  {
    name: 'config',
    group: 'settings',
    summary: 'What a daemon would run with, by --config-file, environment and flags, and why',
    load: async () => (await import('./config.ts')).config,
  },
]

/** The command a misspelt name most likely meant. */
export function nearestName(name: string): string | undefined {
  return nearest(
    name,
    rows.map((row) => row.name),
  )
}
