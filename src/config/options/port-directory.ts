import { integer, oneOf } from '../option.ts'
import { neutronOptions } from './neutron.ts'

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
