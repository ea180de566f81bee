import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { captureProgram } from '../src/host/programs.ts'
import type { Chassis } from '../test/ovn/chassis.ts'
import { SECRET } from '../test/ovn/nova.ts'
import { startDaemon } from '../test/support/daemon.ts'
import { eventually } from '../test/support/eventually.ts'
import { processesBeside } from './process-usage.ts'

/** A metadata agent that is measured. */
export interface Kind {
  readonly name: string
  /** How often its start is measured. */
  readonly starts: number
  /** @param southbound  its remote */
  readonly start: (chassis: Chassis, directory: string, southbound: string) => Agent
}

export interface Agent {
  /** Its unix socket, as neutron's haproxy asks. */
  readonly socket: string
  /** All its processes, those of networks included. */
  readonly processes: () => ReadonlySet<number>
  /** Ends it and takes away what it has made. */
  readonly end: () => Promise<void>
}

export const firstbootAgent: Kind = {
  name: 'firstboot',
  starts: 7,
  start(chassis, directory) {
    const state = join(directory, `firstboot-${chassis.name}`)
    const before = processesBeside(chassis.machine.pid)
    const daemon = startDaemon(
      chassis.machine,
      'ovn-metadata-agent',
      `--ovsdb-connection=${chassis.local}`,
      `--state-dir=${state}`,
      `--metadata-proxy-shared-secret=${SECRET}`,
      '--log-level=warn',
    )
    return {
      socket: join(state, 'run/metadata_proxy'),
      processes: () => startedSince(chassis, before),
      end: async () => {
        await daemon.end('SIGINT')
      },
    }
  },
}

export const neutronAgent: Kind = {
  name: 'neutron-ovn-metadata-agent',
  starts: 1, // minutes each
  start(chassis, directory, southbound) {
    const home = join(directory, `neutron-${chassis.name}`)
    const socket = join(home, 'metadata_proxy')
    const files = neutronFiles(home, socket, chassis, southbound)
    mkdirSync(join(home, 'lock'), { recursive: true })
    for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text)
    const before = processesBeside(chassis.machine.pid)
    const env = { LANG: 'C.UTF-8', HOME: '/root', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' }
    const given = ['neutron.conf', 'agent.ini'].map((name) => `--config-file=${join(home, name)}`)
    const log = `--log-file=${join(home, 'log')}`
    chassis.machine.start([NEUTRON, ...given, log], { env, stdio: 'ignore' })
    const processes = () => startedSince(chassis, before)
    return {
      socket,
      processes,
      end: async () => {
        await eventually('neutron’s agent has ended', () => {
          for (const pid of processes()) killIfThere(pid)
          return processes().size === 0
        })
        await sweep(chassis)
      },
    }
  },
}

const NEUTRON = '/usr/bin/neutron-ovn-metadata-agent'

/** @returns what has to be done for neutron's agent to run here */
export async function neutronProblem(): Promise<string | undefined> {
  if (!existsSync(NEUTRON))
    return 'neutron-ovn-metadata-agent is not installed, so ours is measured alone. To compare: sudo apt-get install --no-install-recommends neutron-ovn-metadata-agent'
  return process.getuid?.() === 0 ? undefined : 'neutron’s agent needs root, so ours is measured alone'
}

export async function neutronVersion(): Promise<string> {
  const { stdout } = await captureProgram('dpkg-query', ['--show', 'neutron-ovn-metadata-agent'])
  return stdout.trim().split('\t')[1] ?? 'of unknown version'
}

/** The fewest settings that it runs with; all others are Debian's and neutron's own, two workers among them. */
function neutronFiles(home: string, socket: string, { name, local }: Chassis, southbound: string) {
  return {
    'neutron.conf': `[DEFAULT]
state_path = ${home}
host = ${name}
[oslo_concurrency]
lock_path = ${home}/lock
[agent]
root_helper = neutron-rootwrap ${home}/rootwrap.conf
`,
    'agent.ini': `[DEFAULT]
nova_metadata_host = 127.0.0.1
metadata_proxy_shared_secret = ${SECRET}
metadata_proxy_socket = ${socket}
[ovs]
ovsdb_connection = ${local}
[ovn]
ovn_sb_connection = ${southbound}
`,
    'rootwrap.conf': `[DEFAULT]
filters_path = /etc/neutron/rootwrap.d,/usr/share/neutron/rootwrap
exec_dirs = /sbin,/usr/sbin,/bin,/usr/bin
`,
  }
}

function startedSince({ machine }: Chassis, before: ReadonlySet<number>): ReadonlySet<number> {
  return new Set([...processesBeside(machine.pid)].filter((pid) => !before.has(pid)))
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

/** It leaves its namespaces, and their ports, to its next start. */
async function sweep({ machine, vsctl }: Chassis): Promise<void> {
  const names = readdirSync(`/proc/${machine.pid}/root/run/netns`).filter((name) => name.startsWith('ovnmeta-'))
  for (const name of names) {
    await vsctl('--if-exists', 'del-port', `tap${name.slice('ovnmeta-'.length).slice(0, 10)}0`)
    machine.run('ip', 'netns', 'delete', name)
  }
}
