import { inFiles, text } from '../option.ts'

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
