import type { Values } from '../config/option.ts'
import type { rateLimitOptions } from '../config/options/rate-limit.ts'
import { type RateLimit, rateLimit } from '../metadata-agent/rate-limit.ts'

export type RateLimitValues = Values<typeof rateLimitOptions>

/** @returns undefined where guests are not limited */
export function limitOf(values: RateLimitValues): RateLimit | undefined {
  if (!values.rate_limit_enabled) return undefined
  return rateLimit({
    windows: [
      { requests: values.base_query_rate_limit, seconds: values.base_window_duration },
      { requests: values.burst_query_rate_limit, seconds: values.burst_window_duration },
    ],
    ipVersions: values.ip_versions.map((version) => (version === '4' ? 4 : 6)),
    now: () => performance.now(),
  })
}
