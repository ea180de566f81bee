import { lstatSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { SKIPPED_VERSIONS } from '../config-drive/skipped-versions.ts'
import { integer, list, listOf, oneOf, packetMark, port, text, texts, truth } from './option.ts'
import { UsageError } from './read.ts'

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

/** Options of vendor data, under nova's names. */
export const vendorDataOptions = {
  vendordata_providers: listOf(
    ['StaticJSON', 'DynamicJSON'],
    ['StaticJSON'],
    'Where vendor data comes from, in the order of vendor_data2.json.',
  ),
  vendordata_jsonfile_path: text('FILE', '', 'A JSON document given to every guest as vendor_data.json (StaticJSON).'),
  vendordata_dynamic_targets: list(
    'NAME@URL,...',
    [],
    'Services asked about each guest when it reads vendor_data2.json (DynamicJSON).',
  ),
  vendordata_dynamic_ssl_certfile: text(
    'FILE',
    '',
    'Certificates (PEM) of the authorities to trust in https targets. Default: the system’s.',
  ),
  vendordata_dynamic_connect_timeout: integer('SECONDS', 5, 'How long a target may take to be connected to.', {
    min: 3,
    max: 3_600,
  }),
  vendordata_dynamic_read_timeout: integer('SECONDS', 5, 'How long a target may be silent.', { min: 1, max: 3_600 }),
  vendordata_dynamic_failure_fatal: truth(
    false,
    'A target that fails makes vendor_data2.json an error; otherwise the guest reads {} in its place.',
  ),
}

/** Options of the metadata documents, under nova's names. */
export const documentOptions = {
  dhcp_domain: text('DOMAIN', 'novalocal', 'Appended to every hostname a guest reads; empty for bare hostnames.'),
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

/** The secret that agent and API share. */
export const secretOptions = {
  metadata_proxy_shared_secret: text(
    'SECRET',
    '',
    'Signs X-Instance-ID between metadata agent and metadata API. Default: the one kept in the state directory, made there at first use. Prefer the environment variable: a flag shows in the process list.',
    { secret: true },
  ),
}

export const apiOptions = {
  metadata_listen: text('ADDRESS', '127.0.0.1', 'Address the metadata API listens on.'),
  metadata_listen_port: port(8775, 'Port the metadata API listens on.'),
  service_metadata_proxy: truth(
    true,
    'Do not believe signed headers: tell callers by the address they connect from, without an agent between.',
  ),
}

export const agentOptions = {
  metadata_proxy_socket: text(
    'PATH',
    '',
    'Unix socket between proxies and agent. Default: run/metadata_proxy in the state directory.',
  ),
  metadata_proxy_socket_mode: oneOf(
    ['user', 'group', 'all'],
    'user',
    'Who may connect to it. Whoever can may ask in any guest’s name: user is the owner alone, all is for proxies that run as other users.',
  ),
  nova_metadata_host: text('HOST', '127.0.0.1', 'Host of the metadata API.'),
  nova_metadata_port: port(8775, 'Port of the metadata API.'),
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
  enable_isolated_metadata: truth(true, 'Do not serve metadata from the DHCP port of networks without a router.'),
  force_metadata: truth(false, 'Send the guests of every network with DHCP to the DHCP port for metadata.'),
  enable_metadata_network: truth(
    false,
    'On a network with a subnet in 169.254.0.0/16 and a router, answer for all networks of that router.',
  ),
  dhcp_lease_duration: integer(
    'SECONDS',
    86_400,
    'Lease time. So long a router that was detached is answered for, since guests may hold a route by it.',
    { min: 120, max: 2_147_483_647 },
  ),
  dns_domain: text('DOMAIN', 'openstacklocal', 'Domain that dnsmasq gives to guests.'),
}

/** Options of the router path, under l3_agent.ini's names. */
export const routerOptions = {
  enable_metadata_proxy: truth(true, 'Do not serve metadata in the namespaces of routers.'),
  metadata_port: integer('PORT', 9697, 'Port on which the metadata proxy listens in the namespace of a router.', {
    min: 1,
    max: 65_535,
  }),
  metadata_access_mark: packetMark(
    '0x1',
    'Mark of packets that are for the metadata address; 16 bits, and not 0x2, which marks those from the external network.',
  ),
}

/** What answers in the namespaces. The limits are those of [metadata_rate_limiting]. */
export const proxyOptions = {
  metadata_proxy_driver: oneOf(
    ['native', 'haproxy'],
    'native',
    'What answers in the namespaces: this process, or a haproxy in each as the field has it.',
  ),
  rate_limit_enabled: truth(
    false,
    'Let haproxy answer 429 to a guest that asks more often than the limits below. A boot of cloud-init is 18 to 30 requests.',
  ),
  ip_versions: oneOf(['4', '6'], '4', 'The address family of the guests that are limited.'),
  base_window_duration: integer('SECONDS', 10, 'The longer window.', { min: 1, max: 86_400 }),
  base_query_rate_limit: integer('REQUESTS', 10, 'Most requests of a guest in it.', { min: 1, max: 1_000_000 }),
  burst_window_duration: integer('SECONDS', 10, 'The shorter window.', { min: 1, max: 86_400 }),
  burst_query_rate_limit: integer('REQUESTS', 10, 'Most requests of a guest in it.', { min: 1, max: 1_000_000 }),
}

/** All that decides about namespaces. */
export const datapathOptions = { ...dhcpOptions, ...routerOptions, ...proxyOptions }
