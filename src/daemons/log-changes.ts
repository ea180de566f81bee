import type { Difference } from '../config/differences.ts'
import type { Log } from '../observe/log.ts'

/** Options that are used once, when sockets and files are opened. */
const AT_START: ReadonlySet<string> = new Set([
  'state_dir',
  'lab',
  'metadata_proxy_socket',
  'metadata_proxy_socket_mode',
  'metadata_proxy_user',
  'metadata_proxy_group',
  'metadata_backlog',
  'metadata_workers',
  'flat_injected',
  'metadata_listen',
  'metadata_listen_port',
  'metrics_listen',
  'ovsdb_connection',
  'ovn_nb_connection',
  'ovn_sb_connection',
  'ovn_sb_private_key',
  'ovn_sb_certificate',
  'ovn_sb_ca_cert',
  'ovsdb_probe_interval',
  'agent_down_time',
])

/** For the terminal, in one line. */
export function describeChange({ name, before, after }: Difference): string {
  return `${name}: ${before} -> ${after}${AT_START.has(name) ? ' (counts from the next start on)' : ''}`
}

/** Says what reading the configuration again has brought, and what of it has to wait. */
export function logChanges(log: Log, changed: readonly Difference[], warnings: readonly string[]): void {
  for (const { name, ...change } of changed)
    log.info(
      { option: name, ...change },
      AT_START.has(name) ? 'an option has changed, and counts from the next start on' : 'an option has changed',
    )
  for (const line of warnings) log.warn(line)
}
