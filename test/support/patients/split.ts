import type { Daemon } from '../daemon.ts'
import type { Injection } from './injection.ts'
import type { Ward } from './ward.ts'

/** The daemons of the field, one process each, and a guest on each kind of path. */
export const SPLIT_INVENTORY = `
projects: [{ name: p }]
networks:
  - { name: isolated, project: p, subnets: [{ name: isolated, cidr: 10.3.0.0/24 }] }
  - { name: routed, project: p, subnets: [{ name: routed, cidr: 10.1.0.0/24 }] }
routers: [{ name: r, project: p, interfaces: [routed] }]
servers:
  - { name: iso-1, project: p, networks: [{ network: isolated }] }
  - { name: rtd-1, project: p, networks: [{ network: routed }] }
`

const running = new Map<string, Daemon>()

const SAYS: Readonly<Record<string, string>> = {
  'metadata-api': 'listens on',
  'metadata-agent': 'listens on',
  'dhcp-agent': 'serves the networks',
}

export async function startHop(ward: Ward, name: string, ...flags: readonly string[]): Promise<void> {
  const daemon = ward.daemon(name, ...flags)
  running.set(name, daemon)
  await daemon.saying(SAYS[name] ?? '')
}

const end = (name: string, signal?: NodeJS.Signals) => running.get(name)?.end(signal)
const socket = (ward: Ward) => `${ward.state}/run/metadata_proxy`

export const SPLIT_INJECTIONS: readonly Injection[] = [
  {
    fault: 'signature-mismatch',
    path: 'split',
    patient: 'iso-1',
    how: 'the metadata API has another shared secret',
    inject: async (ward) => {
      await end('metadata-api')
      await startHop(ward, 'metadata-api', '--metadata-proxy-shared-secret=another')
    },
    heal: async (ward) => {
      await end('metadata-api')
      await startHop(ward, 'metadata-api')
    },
  },
  {
    fault: 'api-slow',
    path: 'split',
    patient: 'rtd-1',
    how: 'the metadata API is stopped',
    inject: (ward) => ward.run('kill', '-STOP', ward.pid('metadata-api')),
    heal: (ward) => ward.goOn(ward.pid('metadata-api')),
  },
  {
    fault: 'api-down',
    path: 'split',
    patient: 'rtd-1',
    how: 'the metadata API has ended',
    inject: () => end('metadata-api'),
    heal: (ward) => startHop(ward, 'metadata-api'),
  },
  {
    fault: 'agent-socket-unreadable',
    path: 'split',
    patient: 'iso-1',
    how: 'chmod 0 on the socket of the metadata agent',
    inject: (ward) => ward.run('chmod', '0', socket(ward)),
    heal: (ward) => ward.run('chmod', '600', socket(ward)),
  },
  {
    fault: 'agent-socket-missing',
    path: 'split',
    patient: 'iso-1',
    how: 'somebody removed the socket of the metadata agent',
    inject: (ward) => ward.run('mv', socket(ward), `${socket(ward)}.gone`),
    heal: (ward) => ward.run('mv', `${socket(ward)}.gone`, socket(ward)),
  },
  {
    fault: 'agent-socket-dead',
    path: 'split',
    patient: 'rtd-1',
    how: 'the metadata agent was killed',
    inject: () => end('metadata-agent', 'SIGKILL'),
    heal: (ward) => startHop(ward, 'metadata-agent'),
  },
]
