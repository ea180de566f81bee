import { shown } from '../config/differences.ts'
import type { Options, Values } from '../config/option.ts'
import type { proxyOptions } from '../config/options/datapath.ts'
import type { ProxyConfig } from '../datapath/proxy.ts'
import { runProgram } from '../host/programs.ts'

/** The options of what answers in the namespaces, under the field's names. */
export type ProxyValues = Values<typeof proxyOptions>

/** What does not come from options. */
export interface Surroundings {
  /** Absolute. */
  readonly statePath: string
  /** The metadata agent's unix socket, for a haproxy to ask. */
  readonly agentSocket: string
}

export function proxyConfig(values: ProxyValues, { statePath, agentSocket }: Surroundings): ProxyConfig {
  return {
    metadataProxyDriver: values.metadata_proxy_driver,
    metadataProxySocket: agentSocket,
    rateLimit: rateLimit(values),
    statePath,
  }
}

function rateLimit(values: ProxyValues): ProxyConfig['rateLimit'] {
  if (!values.rate_limit_enabled) return null
  return {
    // haproxy counts by one family of addresses.
    ipVersion: values.ip_versions.includes('4') ? 4 : 6,
    baseWindow: values.base_window_duration,
    baseLimit: values.base_query_rate_limit,
    burstWindow: values.burst_window_duration,
    burstLimit: values.burst_query_rate_limit,
  }
}

/** Before anything is changed: else each look would try it in vain. @throws HostError when these values turn to a haproxy
 *  that is not installed */
export async function requireHaproxy(before: ProxyValues, after: ProxyValues): Promise<void> {
  if (after.metadata_proxy_driver === 'haproxy' && before.metadata_proxy_driver !== 'haproxy')
    await runProgram('haproxy', ['-v'])
}

/** The values of these options among more. */
export function valuesOf<V extends object>(options: Options, values: V): V {
  const all = values as Readonly<Record<string, unknown>>
  return Object.fromEntries(Object.keys(options).map((name) => [name, all[name]])) as V
}

/** What is another value than before, as a person reads it: `force_metadata: false -> true`. */
export function changedValues(options: Options, before: object, after: object): string[] {
  const [was, is] = [before, after] as readonly Readonly<Record<string, unknown>>[]
  return Object.entries(options)
    .filter(([name]) => String(was?.[name]) !== String(is?.[name]))
    .map(([name, row]) => `${name}: ${shown(row, was?.[name])} -> ${shown(row, is?.[name])}`)
}
