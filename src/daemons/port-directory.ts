import { readFileSync } from 'node:fs'
import type { Values } from '../config/option.ts'
import type { directoryOptions } from '../config/options/port-directory.ts'
import { keptDirectory } from '../metadata-agent/kept-directory.ts'
import { type Credentials, openKeystone, type Scoped } from '../metadata-agent/neutron/keystone.ts'
import { neutronDirectory } from '../metadata-agent/neutron/neutron-directory.ts'
import { openRest, type TlsOptions } from '../metadata-agent/neutron/rest.ts'
import { openNeutronSession } from '../metadata-agent/neutron/session.ts'
import type { PortDirectory } from '../metadata-agent/port-directory.ts'
import type { Log } from '../observe/log.ts'

export type DirectoryValues = Values<typeof directoryOptions>

/** Whether ports are those of Neutron, by what the options say of it. */
export function isNeutronAsked(values: DirectoryValues): boolean {
  if (values.port_directory !== 'auto') return values.port_directory === 'neutron'
  return values.neutron_auth_url !== '' || values.neutron_endpoint_override !== ''
}

/**
 * Neutron's ports, with answers kept as the options say. Nothing is asked yet: Neutron may be away when the agent starts.
 * @throws Error when options are missing or a file of theirs cannot be read
 */
export function openNeutronDirectory(values: DirectoryValues, log: Log): PortDirectory {
  const now = () => performance.now()
  const retries = values.neutron_http_retries
  const rest = openRest({ milliseconds: values.neutron_timeout * 1000, tls: tlsOf(values) })
  const credentials = credentialsOf(values)
  const keystone =
    credentials === undefined
      ? undefined
      : openKeystone(rest, { authUrl: values.neutron_auth_url, credentials, retries, now })
  const session = openNeutronSession({
    rest,
    keystone,
    endpoint: {
      serviceType: values.neutron_service_type,
      interfaces: values.neutron_valid_interfaces,
      region: values.neutron_region_name,
    },
    endpointOverride: values.neutron_endpoint_override,
    retries,
  })
  return keptDirectory(neutronDirectory(session), {
    freshMilliseconds: values.port_cache_seconds * 1000,
    staleMilliseconds: values.port_cache_stale_seconds * 1000,
    size: values.port_cache_size,
    now,
    onStale: saysThatNeutronIsAway(log, now),
  })
}

/** One line in this time, however many guests ask meanwhile. */
const REMARK_MILLISECONDS = 10_000

function saysThatNeutronIsAway(log: Log, now: () => number) {
  let next = Number.NEGATIVE_INFINITY
  return (age: number, error: unknown) => {
    if (now() < next) return
    next = now() + REMARK_MILLISECONDS
    const cause = error instanceof Error ? error.cause : error
    log.warn({ cause, age_seconds: Math.round(age / 1000) }, 'Neutron cannot be asked; what it said before is used')
  }
}

/** @returns undefined where nobody logs in */
function credentialsOf(values: DirectoryValues): Credentials | undefined {
  const type = values.neutron_auth_type
  if (type === 'none' || type === 'noauth') {
    demand(values.neutron_endpoint_override, 'endpoint_override', `auth_type ${type} needs it`)
    return undefined
  }
  demand(values.neutron_auth_url, 'auth_url', 'it says where Keystone is')
  return type === 'v3applicationcredential' ? applicationCredential(values) : password(values)
}

function password(values: DirectoryValues): Credentials {
  const user = userOf(values)
  const project = scoped(values.neutron_project_id, values.neutron_project_name, [
    values.neutron_project_domain_id || values.neutron_default_domain_id,
    values.neutron_project_domain_name || values.neutron_default_domain_name,
  ])
  demand(user.id ?? user.name ?? '', 'username', 'it says who asks Neutron')
  demand(project.id ?? project.name ?? '', 'project_name', 'a user acts in a project')
  return { user, password: values.neutron_password, project }
}

function applicationCredential(values: DirectoryValues): Credentials {
  const id = values.neutron_application_credential_id
  const name = values.neutron_application_credential_name
  const secret = values.neutron_application_credential_secret
  demand(id || name, 'application_credential_id', 'auth_type v3applicationcredential needs it')
  return { applicationCredential: id === '' ? { name, secret, user: userOf(values) } : { id, secret } }
}

function userOf(values: DirectoryValues): Scoped {
  return scoped(values.neutron_user_id, values.neutron_username, [
    values.neutron_user_domain_id || values.neutron_default_domain_id,
    values.neutron_user_domain_name || values.neutron_default_domain_name,
  ])
}

/** An id needs no domain; a name without one is of the domain `default`, as clients of the field have it. */
function scoped(id: string, name: string, [domainId, domainName]: readonly [id: string, name: string]): Scoped {
  if (id !== '') return { id }
  if (name === '') return {}
  if (domainId === '' && domainName !== '') return { name, domain: { name: domainName } }
  return { name, domain: { id: domainId || 'default' } }
}

function demand(value: string, name: string, why: string): void {
  if (value === '') throw new Error(`[neutron] ${name} is not set, and ${why}`)
}

function tlsOf(values: DirectoryValues): TlsOptions {
  const { neutron_cafile, neutron_certfile, neutron_keyfile, neutron_insecure } = values
  return {
    isUnchecked: neutron_insecure,
    ...(neutron_cafile === '' ? {} : { authorities: readPem('cafile', neutron_cafile) }),
    ...(neutron_certfile === '' || neutron_keyfile === ''
      ? {}
      : { client: { certificate: readPem('certfile', neutron_certfile), key: readPem('keyfile', neutron_keyfile) } }),
  }
}

function readPem(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`[neutron] ${name}: ${path} cannot be read`, { cause })
  }
}
