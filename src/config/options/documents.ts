import { inFiles, integer, list, listOf, oneOf, text, truth } from '../option.ts'

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
  flat_injected: inFiles(
    truth(false, 'Tell networks without DHCP in network_config, an interfaces file, by HTTP as on the config drive.'),
    ['DEFAULT.flat_injected'],
  ),
  release: oneOf(['zed', 'master'], 'master', 'The Nova release to imitate where releases differ.'),
}
