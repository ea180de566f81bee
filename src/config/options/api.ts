import { inFiles, integer, port, text, truth } from '../option.ts'

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
