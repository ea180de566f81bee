import { inFiles, integer, oneOf, text, truth } from '../option.ts'

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
  enable_distributed_floating_ip: inFiles(
    truth(
      false,
      'Translate floating IPs on each guest’s own chassis, which then needs a bridge to the external network, and not where the router’s gateway is.',
    ),
    ['ovn.enable_distributed_floating_ip'],
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
