import { inFiles, integer, listOf, type Option, truth } from '../option.ts'

const RATE_WINDOW = { min: 1, max: 86_400 }
const RATE_LIMIT = { min: 1, max: 1_000_000 }
const rate = <T>(row: Option<T>, name: string) => inFiles(row, [`metadata_rate_limiting.${name}`])

/** How many requests a guest may make, under neutron's names. */
export const rateLimitOptions = {
  rate_limit_enabled: rate(
    truth(false, 'Slow down guests that ask more often than the two limits below allow.'),
    'rate_limit_enabled',
  ),
  ip_versions: rate(listOf(['4', '6'], ['4', '6'], 'IP versions of the guests that are limited.'), 'ip_versions'),
  base_window_duration: rate(integer('SECONDS', 10, 'The longer window.', RATE_WINDOW), 'base_window_duration'),
  base_query_rate_limit: rate(
    integer('REQUESTS', 10, 'Requests in the longer window.', RATE_LIMIT),
    'base_query_rate_limit',
  ),
  burst_window_duration: rate(integer('SECONDS', 10, 'The shorter window.', RATE_WINDOW), 'burst_window_duration'),
  burst_query_rate_limit: rate(
    integer('REQUESTS', 10, 'Requests in the shorter window.', RATE_LIMIT),
    'burst_query_rate_limit',
  ),
}
