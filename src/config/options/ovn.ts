import { inFiles, integer, type Option, oneOf, text, truth } from '../option.ts'
import { agentOptions } from './agent.ts'

const ovn = <T>(row: Option<T>, name: string) => inFiles(row, [`ovn.${name}`])

/**
 * Options of the OVN path, as neutron_ovn_metadata_agent.ini and neutron.conf have them. The field takes a Southbound on this
 * host for granted where no file says another, and a socket of Open vSwitch where no distribution has it: our own defaults
 * lead to the same databases wherever those do.
 */
export const ovnOptions = {
  ovsdb_connection: inFiles(text('REMOTE', 'unix:/run/openvswitch/db.sock', 'The local Open_vSwitch database.'), [
    'ovs.ovsdb_connection',
  ]),
  ovn_sb_connection: ovn(
    text(
      'REMOTE,...',
      '',
      'The OVN Southbound database: `ssl:10.0.0.1:6642`, ... Default: what ovn-controller is given on this host (external_ids:ovn-remote).',
    ),
    'ovn_sb_connection',
  ),
  ovn_sb_private_key: ovn(text('FILE', '', 'Private key (PEM) for ssl connections to it.'), 'ovn_sb_private_key'),
  ovn_sb_certificate: ovn(text('FILE', '', 'Certificate (PEM) that belongs to it.'), 'ovn_sb_certificate'),
  ovn_sb_ca_cert: ovn(text('FILE', '', 'Certificates (PEM) of the authorities to trust there.'), 'ovn_sb_ca_cert'),
  ovsdb_probe_interval: ovn(
    integer(
      'MILLISECONDS',
      60_000,
      'Silence after which the Southbound database is asked for a sign of life, and as long again until another server is tried; 0: never.',
      { min: 0, max: 3_600_000 },
    ),
    'ovsdb_probe_interval',
  ),
  agent_down_time: inFiles(
    integer(
      'SECONDS',
      75,
      'After which Neutron’s server takes an agent for dead, as neutron.conf has it: the heartbeat is told within a third of it, and 10 s.',
      { min: 1, max: 86_400 },
    ),
    ['DEFAULT.agent_down_time'],
  ),
}

const { metadata_workers: _, ...ofOneProcess } = agentOptions

/** What the agent of a chassis shares with the agent that stands alone. It is one process: that costs what the ports of one
 *  chassis ask, and the copy of the databases is there once. */
export const ovnAgentOptions = ofOneProcess

/** Options of OVN without Neutron. */
export const northboundOptions = {
  ovn_nb_connection: ovn(
    text('REMOTE,...', 'tcp:127.0.0.1:6641', 'The OVN Northbound database, written for the inventory.'),
    'ovn_nb_connection',
  ),
  ovn_nb_private_key: ovn(text('FILE', '', 'Private key (PEM) for ssl connections to it.'), 'ovn_nb_private_key'),
  ovn_nb_certificate: ovn(text('FILE', '', 'Certificate (PEM) that belongs to it.'), 'ovn_nb_certificate'),
  ovn_nb_ca_cert: ovn(text('FILE', '', 'Certificates (PEM) of the authorities to trust there.'), 'ovn_nb_ca_cert'),
  enable_distributed_floating_ip: ovn(
    truth(
      false,
      'Translate floating IPs on each guest’s own chassis, which then needs a bridge to the external network, and not where the router’s gateway is.',
    ),
    'enable_distributed_floating_ip',
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
