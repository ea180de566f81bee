import { inFiles, integer, oneOf, port, text, truth } from '../option.ts'

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
