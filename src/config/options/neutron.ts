import { inFiles, integer, list, type Option, oneOf, text, truth } from '../option.ts'

const keystone = <T>(row: Option<T>, ...names: readonly string[]) =>
  inFiles(
    row,
    names.map((name) => `neutron.${name}`),
  )
const named = (help: string, ...names: readonly string[]) => keystone(text('NAME', '', help), ...names)
const secret = (help: string, ...names: readonly string[]) =>
  keystone(text('SECRET', '', `${help} Prefer the environment variable or a file.`, { secret: true }), ...names)

/** How Neutron's API is reached, under the names keystoneauth gives them in a group [neutron], as in nova.conf. */
export const neutronOptions = {
  neutron_auth_type: keystone(
    oneOf(
      ['password', 'v3password', 'v3applicationcredential', 'none', 'noauth'],
      'password',
      'How to log in to Keystone; none and noauth do without.',
    ),
    'auth_type',
    'auth_plugin',
  ),
  neutron_auth_url: keystone(text('URL', '', 'Keystone, such as https://keystone.example:5000/v3.'), 'auth_url'),
  neutron_username: named('User.', 'username', 'user_name'),
  neutron_user_id: named('The same by id.', 'user_id'),
  neutron_password: secret('The user’s password.', 'password'),
  neutron_user_domain_name: named('Domain of the user.', 'user_domain_name'),
  neutron_user_domain_id: named('The same by id.', 'user_domain_id'),
  neutron_project_name: named('Project the user acts in.', 'project_name', 'tenant_name'),
  neutron_project_id: named('The same by id.', 'project_id', 'tenant_id'),
  neutron_project_domain_name: named('Domain of the project.', 'project_domain_name'),
  neutron_project_domain_id: named('The same by id.', 'project_domain_id'),
  neutron_default_domain_name: named('Domain of user and project where none is given.', 'default_domain_name'),
  neutron_default_domain_id: named('The same by id.', 'default_domain_id'),
  neutron_application_credential_id: named('Application credential, by id.', 'application_credential_id'),
  neutron_application_credential_name: named('The same by name; needs the user too.', 'application_credential_name'),
  neutron_application_credential_secret: secret('Its secret.', 'application_credential_secret'),
  neutron_region_name: named('Region whose endpoint is taken from the catalog; empty for the first.', 'region_name'),
  neutron_valid_interfaces: keystone(
    list('INTERFACE,...', ['internal', 'public'], 'Interfaces of the catalog, in order of preference.'),
    'valid_interfaces',
  ),
  neutron_service_type: keystone(text('TYPE', 'network', 'Service of the catalog.'), 'service_type'),
  neutron_endpoint_override: keystone(
    text('URL', '', 'Neutron itself, such as http://neutron.example:9696, whatever the catalog says.'),
    'endpoint_override',
    'endpoint',
  ),
  neutron_cafile: keystone(
    text('FILE', '', 'Certificates (PEM) of the authorities to trust in Keystone and Neutron. Default: the system’s.'),
    'cafile',
  ),
  neutron_certfile: keystone(text('FILE', '', 'Client certificate (PEM) shown to them.'), 'certfile'),
  neutron_keyfile: keystone(text('FILE', '', 'Its private key (PEM).'), 'keyfile'),
  neutron_insecure: keystone(truth(false, 'Do not check their certificates.'), 'insecure'),
  neutron_timeout: keystone(
    integer('SECONDS', 5, 'How long one question to them may take.', { min: 1, max: 60 }),
    'timeout',
  ),
  neutron_http_retries: keystone(
    integer('TIMES', 3, 'How often a question that failed is asked again.', { min: 0, max: 20 }),
    'http_retries',
  ),
}
