import { cpSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Chassis } from '../../ovn/chassis.ts'
import { SECRET } from '../../ovn/nova.ts'

/** The real neutron-ovn-metadata-agent on a chassis, with which it ends. */
export interface NeutronAgent {
  /** Everything it has said. */
  said(): string
}

/**
 * Starts it with the settings that a chassis of a small cloud has: Nova's metadata API on 127.0.0.1:8775, everything that it
 * keeps in `directory`.
 *
 * Open vSwitch in userspace does not finish checksums, and the rule that the agent sets for that leaves large answers
 * wrong: the haproxy that it starts turns the offload off in its namespace first.
 */
export function startNeutronAgent(chassis: Chassis, southbound: string, directory: string): NeutronAgent {
  for (const part of ['bin', 'etc', 'state']) mkdirSync(join(directory, part), { recursive: true })
  const haproxy = join(directory, 'bin/haproxy')
  writeFileSync(haproxy, HAPROXY, { mode: 0o755 })
  const rootwrap = join(directory, 'etc/rootwrap.conf')
  cpSync('/etc/neutron/rootwrap.conf', rootwrap)
  const state = join(directory, 'state')
  const files = {
    'neutron.conf': [
      '[DEFAULT]',
      `state_path = ${state}`,
      `host = ${chassis.name}`,
      '[oslo_concurrency]',
      `lock_path = ${state}/lock`,
      '[agent]',
      `root_helper = neutron-rootwrap ${rootwrap}`,
    ],
    'agent.ini': [
      '[DEFAULT]',
      'nova_metadata_host = 127.0.0.1',
      'nova_metadata_port = 8775',
      `metadata_proxy_shared_secret = ${SECRET}`,
      `metadata_proxy_socket = ${state}/metadata_proxy`,
      '[ovs]',
      `ovsdb_connection = ${chassis.local}`,
      '[ovn]',
      `ovn_sb_connection = ${southbound}`,
    ],
  }
  const configs = Object.entries(files).flatMap(([name, lines]) => {
    const path = join(directory, 'etc', name)
    writeFileSync(path, `${lines.join('\n')}\n`)
    return ['--config-file', path]
  })
  const log = join(directory, 'agent.log')
  const output = openSync(log, 'a')
  const environment = ['LANG=C.UTF-8', 'HOME=/root', `PATH=${join(directory, 'bin')}:/usr/sbin:/usr/bin:/sbin:/bin`]
  chassis.machine.start(['env', '-i', ...environment, '/usr/bin/neutron-ovn-metadata-agent', ...configs], {
    stdio: ['ignore', output, output],
  })
  return { said: () => readFileSync(log, 'utf8') }
}

const HAPROXY = `#!/bin/sh
for device in /sys/class/net/tap*; do ethtool -K "\${device##*/}" tx off >/dev/null 2>&1; done
exec /usr/sbin/haproxy "$@"
`
