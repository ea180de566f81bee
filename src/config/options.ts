import { lstatSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { SKIPPED_VERSIONS } from '../config-drive/skipped-versions.ts'
import { neutronOptions } from './neutron-options.ts'
import { inFiles, integer, list, listOf, type Option, oneOf, packetMark, port, text, texts, truth } from './option.ts'
import { UsageError } from './usage-error.ts'

/** Where the inventory is kept. Every command that reads or writes it takes these. */
export const stateOptions = {
  state_dir: text(
    'DIR',
    '',
    'Where records, leases, sockets and the shared secret are kept. Default: /var/lib/firstboot for root, ~/.local/state/firstboot for others.',
    { short: 's' },
  ),
  lab: truth(false, 'Use the state of the running `npm start` (or `firstboot lab`) instead.'),
}

/** The state directory these values name. */
export function stateDirectory(
  values: { readonly state_dir: string; readonly lab: boolean },
  env: NodeJS.ProcessEnv,
): string {
  if (values.lab && values.state_dir !== '') throw new UsageError('either --lab or --state-dir')
  if (values.lab) return trustedLabDirectory()
  if (values.state_dir !== '') return values.state_dir
  if (process.getuid?.() === 0) return '/var/lib/firstboot'
  return join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'firstboot')
}

/** One lab a user: its state lives no longer than the lab. */
export function labDirectory(): string {
  return join(tmpdir(), `firstboot-lab-${process.getuid?.() ?? 0}`)
}

/**
 * The running lab's directory, when nobody else can have put anything there: it lies where every user may make one.
 * @throws UsageError when there is none; Error when it is not ours alone
 */
export function trustedLabDirectory(): string {
  const path = labDirectory()
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new UsageError('no lab is running: npm start (or firstboot lab) begins one')
  if (!found.isDirectory() || found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0)
    throw new Error(`${path} is not a directory of yours alone, so nothing in it can be trusted; remove it`)
  return path
}

export const logOptions = {
  log_level: oneOf(
    ['debug', 'info', 'warn', 'error', 'silent'],
    'info',
    'How much is logged, as JSON lines on standard error.',
  ),
}

export const observeOptions = {
  metrics_listen: text(
    'ADDRESS:PORT',
    '',
    'Serve /metrics (of all processes of the state directory), /healthz and /readyz there. Default: only each process’s own, on a unix socket in run/pages.',
  ),
}

/** Options of vendor data, under nova's names. Zed still took them from [DEFAULT]. */
export const vendorDataOptions = {
  vendordata_providers: inFiles(
    listOf(
      ['StaticJSON', 'DynamicJSON'],
      ['StaticJSON'],
      'Where vendor data comes from, in the order of vendor_data2.json.',
    ),
    ['api.vendordata_providers', 'DEFAULT.vendordata_providers'],
  ),
  vendordata_jsonfile_path: inFiles(
    text('FILE', '', 'A JSON document given to every guest as vendor_data.json (StaticJSON).'),
    ['api.vendordata_jsonfile_path', 'DEFAULT.vendordata_jsonfile_path'],
  ),
  vendordata_dynamic_targets: inFiles(
    list('NAME@URL,...', [], 'Services asked about each guest when it reads vendor_data2.json (DynamicJSON).'),
    ['api.vendordata_dynamic_targets', 'DEFAULT.vendordata_dynamic_targets'],
  ),
  vendordata_dynamic_ssl_certfile: inFiles(
    text('FILE', '', 'Certificates (PEM) of the authorities to trust in https targets. Default: the system’s.'),
    ['api.vendordata_dynamic_ssl_certfile', 'DEFAULT.vendordata_dynamic_ssl_certfile'],
  ),
  vendordata_dynamic_connect_timeout: inFiles(
    integer('SECONDS', 5, 'How long a target may take to be connected to.', { min: 3, max: 3_600 }),
    ['api.vendordata_dynamic_connect_timeout', 'DEFAULT.vendordata_dynamic_connect_timeout'],
  ),
  vendordata_dynamic_read_timeout: inFiles(
    integer('SECONDS', 5, 'How long a target may be silent.', { min: 1, max: 3_600 }),
    ['api.vendordata_dynamic_read_timeout', 'DEFAULT.vendordata_dynamic_read_timeout'],
  ),
  vendordata_dynamic_failure_fatal: inFiles(
    truth(false, 'A target that fails makes vendor_data2.json an error; otherwise the guest reads {} in its place.'),
    ['api.vendordata_dynamic_failure_fatal'],
  ),
}

/** Options of the metadata documents, under nova's names. */
export const documentOptions = {
  dhcp_domain: inFiles(
    text('DOMAIN', 'novalocal', 'Appended to every hostname a guest reads; empty for bare hostnames.'),
    ['api.dhcp_domain', 'DEFAULT.dhcp_domain'],
  ),
  ...vendorDataOptions,
  release: oneOf(['zed', 'master'], 'master', 'The Nova release to imitate where releases differ.'),
}

/** Options of config drives, under nova's names. */
export const configDriveOptions = {
  config_drive_format: oneOf(
    ['iso9660', 'vfat'],
    'iso9660',
    'What a config drive is. iso9660: a cdrom, read-only, which every guest can read; libvirt before 1.2.17 cannot carry it along in a block live migration. vfat: an ordinary disk of 64 MiB, which block live migration mirrors; afterburn does not read it.',
  ),
  config_drive_skip_versions: texts(
    'VERSION',
    SKIPPED_VERSIONS,
    'EC2 versions that are left out. The OpenStack tree is always whole.',
  ),
  mkisofs_cmd: text(
    'PROGRAM',
    '',
    'Have this program (genisoimage, mkisofs, xorrisofs) build the ISO, with the arguments Nova gives it. Default: no program, firstboot does it.',
  ),
  force_config_drive: truth(false, 'Give every server a config drive that has not been started before.'),
  flat_injected: truth(false, 'Render a network template for networks without DHCP.'),
}

/** Options of virtual machines, under nova's names. */
export const machineOptions = {
  virt_type: oneOf(['qemu', 'kvm'], 'qemu', 'How virtual machines run: in software, or with the processor’s help.'),
  connection_uri: text('URI', 'qemu:///system', 'The libvirt that runs servers of the kind `hypervisor: libvirt`.'),
}

const sharedSecret = text(
  'SECRET',
  '',
  'Signs X-Instance-ID between metadata agent and metadata API. Default: the one kept in the state directory, made there at first use. Prefer the environment variable or a file: a flag shows in the process list.',
  { secret: true },
)

/** The secret that agent and API share, as neutron's files have it. */
export const secretOptions = {
  metadata_proxy_shared_secret: inFiles(sharedSecret, ['DEFAULT.metadata_proxy_shared_secret']),
}

/** The same as nova.conf has it. */
export const apiSecretOptions = {
  metadata_proxy_shared_secret: inFiles(sharedSecret, ['neutron.metadata_proxy_shared_secret']),
}

export const apiOptions = {
  metadata_listen: inFiles(
    text('ADDRESS', '127.0.0.1', 'Address the metadata API listens on.'),
    ['DEFAULT.metadata_listen'],
    '0.0.0.0',
  ),
  metadata_listen_port: inFiles(port(8775, 'Port the metadata API listens on.'), ['DEFAULT.metadata_listen_port']),
  metadata_workers: inFiles(
    integer('PROCESSES', 0, 'Processes that share the port; 0 for one, in this process.', { min: 0, max: 256 }),
    ['DEFAULT.metadata_workers'],
  ),
  service_metadata_proxy: inFiles(
    truth(
      true,
      'Do not believe signed headers: tell callers by the address they connect from, without an agent between.',
    ),
    ['neutron.service_metadata_proxy'],
    'false',
  ),
}

/** Where the field's agents keep what they make, for references to it and as the place of the agent's socket. */
export const statePathOptions = {
  state_path: inFiles(
    text(
      'DIR',
      '/var/lib/neutron',
      'What $state_path means in configuration files; the socket lies there when one is given.',
    ),
    ['DEFAULT.state_path'],
  ),
}

/** The unix socket between proxies and agent, of whose path both must be told the same. */
export const agentSocketOptions = {
  metadata_proxy_socket: inFiles(
    text('PATH', '', 'Unix socket between proxies and agent. Default: run/metadata_proxy in the state directory.'),
    ['DEFAULT.metadata_proxy_socket'],
    '$state_path/metadata_proxy',
  ),
}

export const agentOptions = {
  ...statePathOptions,
  ...agentSocketOptions,
  metadata_proxy_socket_mode: inFiles(
    oneOf(
      ['deduce', 'user', 'group', 'all'],
      'deduce',
      'Who may connect to it. Whoever can may ask in any guest’s name: user is the owner alone, all is for proxies that run as other users. deduce looks at metadata_proxy_user and metadata_proxy_group.',
    ),
    ['DEFAULT.metadata_proxy_socket_mode'],
  ),
  metadata_proxy_user: inFiles(
    text('USER', '', 'Whom the proxies run as, by name or number; empty for the agent’s own user.'),
    ['DEFAULT.metadata_proxy_user'],
  ),
  metadata_proxy_group: inFiles(
    text('GROUP', '', 'The proxies’ group, by name or number; empty for the agent’s own.'),
    ['DEFAULT.metadata_proxy_group'],
  ),
  metadata_backlog: inFiles(
    integer('CONNECTIONS', 4096, 'Connections to the socket that may wait to be accepted.', { min: 1, max: 65_535 }),
    ['DEFAULT.metadata_backlog'],
  ),
  metadata_workers: inFiles(
    integer('PROCESSES', 0, 'Processes that share the socket; 0 for one, in this process.', { min: 0, max: 256 }),
    ['DEFAULT.metadata_workers'],
  ),
  nova_metadata_host: inFiles(text('HOST', '127.0.0.1', 'Host of the metadata API.'), [
    'DEFAULT.nova_metadata_host',
    'DEFAULT.nova_metadata_ip',
  ]),
  nova_metadata_port: inFiles(port(8775, 'Port of the metadata API.'), ['DEFAULT.nova_metadata_port']),
  nova_metadata_protocol: inFiles(oneOf(['http', 'https'], 'http', 'How the metadata API is spoken to.'), [
    'DEFAULT.nova_metadata_protocol',
  ]),
  nova_metadata_insecure: inFiles(truth(false, 'Do not check the metadata API’s certificate.'), [
    'DEFAULT.nova_metadata_insecure',
  ]),
  auth_ca_cert: inFiles(
    text('FILE', '', 'Certificates (PEM) of the authorities to trust in the metadata API. Default: the system’s.'),
    ['DEFAULT.auth_ca_cert'],
  ),
  nova_client_cert: inFiles(
    text('FILE', '', 'Client certificate (PEM) shown to the metadata API; needs nova_client_priv_key too.'),
    ['DEFAULT.nova_client_cert'],
  ),
  nova_client_priv_key: inFiles(text('FILE', '', 'Its private key (PEM).'), ['DEFAULT.nova_client_priv_key']),
}

const RATE_WINDOW = { min: 1, max: 86_400 }
const RATE_LIMIT = { min: 1, max: 1_000_000 }
const rate = <T>(row: Option<T>, name: string) => inFiles(row, [`metadata_rate_limiting.${name}`])

/** How many requests a guest may make, under neutron's names. */
export const rateLimitOptions = {
  rate_limit_enabled: rate(
    truth(false, 'Slow down guests that ask more often than the two limits below allow.'),
    'rate_limit_enabled',
  ),
  ip_versions: rate(listOf(['4', '6'], ['4', '6'], 'IP versions of the guests that are limited.'), 'ip_versions'),
  base_window_duration: rate(integer('SECONDS', 10, 'The longer window.', RATE_WINDOW), 'base_window_duration'),
  base_query_rate_limit: rate(
    integer('REQUESTS', 10, 'Requests in the longer window.', RATE_LIMIT),
    'base_query_rate_limit',
  ),
  burst_window_duration: rate(integer('SECONDS', 10, 'The shorter window.', RATE_WINDOW), 'burst_window_duration'),
  burst_query_rate_limit: rate(
    integer('REQUESTS', 10, 'Requests in the shorter window.', RATE_LIMIT),
    'burst_query_rate_limit',
  ),
}

/** Where the agent finds ports, and how long it believes what it found. */
export const directoryOptions = {
  port_directory: oneOf(
    ['auto', 'inventory', 'neutron'],
    'auto',
    'Where ports are looked up: in our own inventory or by Neutron’s API. auto is Neutron where [neutron] has auth_url or endpoint_override.',
  ),
  port_cache_seconds: integer('SECONDS', 10, 'How long an answer of Neutron is believed.', { min: 0, max: 3_600 }),
  port_cache_stale_seconds: integer(
    'SECONDS',
    300,
    'How old an answer may be that is given while Neutron is away; then guests are told to come back (503).',
    { min: 0, max: 86_400 },
  ),
  port_cache_size: integer('ANSWERS', 20_000, 'How many answers are kept.', { min: 1, max: 10_000_000 }),
  ...neutronOptions,
}

/** Options of the OVN path, under neutron_ovn_metadata_agent.ini's names ([ovs], [ovn], and neutron.conf's agent_down_time). */
export const ovnOptions = {
  ovsdb_connection: text('REMOTE', 'unix:/run/openvswitch/db.sock', 'The local Open_vSwitch database.'),
  ovn_sb_connection: text(
    'REMOTE,...',
    '',
    'The OVN Southbound database: `ssl:10.0.0.1:6642`, ... Default: what ovn-controller is given on this host (external_ids:ovn-remote).',
  ),
  ovn_sb_private_key: text('FILE', '', 'Private key (PEM) for ssl connections to it.'),
  ovn_sb_certificate: text('FILE', '', 'Certificate (PEM) that belongs to it.'),
  ovn_sb_ca_cert: text('FILE', '', 'Certificates (PEM) of the authorities to trust there.'),
  ovsdb_probe_interval: integer(
    'MILLISECONDS',
    60_000,
    'Silence after which the Southbound database is asked for a sign of life, and as long again until another server is tried; 0: never.',
    { min: 0, max: 3_600_000 },
  ),
  agent_down_time: integer(
    'SECONDS',
    75,
    'After which Neutron’s server takes an agent for dead, as neutron.conf has it: the heartbeat is told within a third of it, and 10 s.',
    { min: 1, max: 86_400 },
  ),
}

/** Options of OVN without Neutron. */
export const northboundOptions = {
  ovn_nb_connection: text(
    'REMOTE,...',
    'tcp:127.0.0.1:6641',
    'The OVN Northbound database, written for the inventory.',
  ),
  ovn_nb_private_key: text('FILE', '', 'Private key (PEM) for ssl connections to it.'),
  ovn_nb_certificate: text('FILE', '', 'Certificate (PEM) that belongs to it.'),
  ovn_nb_ca_cert: text('FILE', '', 'Certificates (PEM) of the authorities to trust there.'),
}

/** What carries the networks of `firstboot up`. */
export const carrierOptions = {
  datapath: oneOf(
    ['bridges', 'ovn'],
    'bridges',
    'bridges of this host, with dnsmasq and router namespaces; or OVN, whose Northbound is written for the inventory. Then servers are run by others (`hypervisor: external`), who plug each port into the integration bridge with its id as iface-id.',
  ),
}

/** Who knows what an instance found by OVN may read. */
export const ovnAnswerOptions = {
  answer_from: oneOf(
    ['nova', 'inventory'],
    'nova',
    'Ask nova-api-metadata, signed, or answer from our own inventory: by the instance’s id, wherever its port is known from.',
  ),
}

export const socketKeeperOptions = {
  socket_keeper: text(
    'PATH',
    '',
    'Unix socket of the keeper of sockets in namespaces. Default: run/sockets in the state directory.',
  ),
}

export const answerOptions = {
  answer_from: oneOf(
    ['agent', 'inventory'],
    'agent',
    'Ask the metadata agent on its unix socket, or answer from the inventory itself.',
  ),
}

/** Options of the DHCP path, under dhcp_agent.ini's names. */
export const dhcpOptions = {
  enable_isolated_metadata: inFiles(
    truth(true, 'Do not serve metadata from the DHCP port of networks without a router.'),
    ['DEFAULT.enable_isolated_metadata'],
    'false',
  ),
  force_metadata: inFiles(truth(false, 'Send the guests of every network with DHCP to the DHCP port for metadata.'), [
    'DEFAULT.force_metadata',
  ]),
  enable_metadata_network: inFiles(
    truth(false, 'On a network with a subnet in 169.254.0.0/16 and a router, answer for all networks of that router.'),
    ['DEFAULT.enable_metadata_network'],
  ),
  dhcp_lease_duration: inFiles(
    integer(
      'SECONDS',
      86_400,
      'Lease time. So long a router that was detached is answered for, since guests may hold a route by it.',
      { min: 120, max: 2_147_483_647 },
    ),
    ['DEFAULT.dhcp_lease_duration'],
  ),
  dns_domain: inFiles(text('DOMAIN', 'openstacklocal', 'Domain that dnsmasq gives to guests.'), ['DEFAULT.dns_domain']),
}

/** Options of the router path, under l3_agent.ini's names. */
export const routerOptions = {
  enable_metadata_proxy: inFiles(truth(true, 'Do not serve metadata in the namespaces of routers.'), [
    'DEFAULT.enable_metadata_proxy',
  ]),
  metadata_port: inFiles(
    integer('PORT', 9697, 'Port on which the metadata proxy listens in the namespace of a router.', {
      min: 1,
      max: 65_535,
    }),
    ['DEFAULT.metadata_port'],
  ),
  metadata_access_mark: inFiles(
    packetMark(
      '0x1',
      'Mark of packets that are for the metadata address; 16 bits, and not 0x2, which marks those from the external network.',
    ),
    ['DEFAULT.metadata_access_mark'],
  ),
}

/** What answers in the namespaces. */
export const proxyOptions = {
  metadata_proxy_driver: oneOf(
    ['native', 'haproxy'],
    'native',
    'What answers in the namespaces: this process, or a haproxy in each as the field has it.',
  ),
  ...rateLimitOptions,
}

/** All that decides about namespaces. */
export const datapathOptions = { ...dhcpOptions, ...routerOptions, ...proxyOptions }
