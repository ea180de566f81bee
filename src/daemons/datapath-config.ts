import { datapathOptions } from '../config/options/datapath.ts'
import { DATAPATH_DEFAULTS, type DatapathConfig } from '../datapath/config.ts'
import { hasIpv6 } from '../host/ipv6.ts'

/** The options of the datapath, under the field's names. */
export interface DatapathValues {
  readonly enable_isolated_metadata: boolean
  readonly force_metadata: boolean
  readonly enable_metadata_network: boolean
  readonly dhcp_lease_duration: number
  readonly dns_domain: string
  readonly enable_metadata_proxy: boolean
  readonly metadata_port: number
  readonly metadata_access_mark: string
  readonly metadata_proxy_driver: 'native' | 'haproxy'
  readonly rate_limit_enabled: boolean
  readonly ip_versions: readonly ('4' | '6')[]
  readonly base_window_duration: number
  readonly base_query_rate_limit: number
  readonly burst_window_duration: number
  readonly burst_query_rate_limit: number
}

/** These of more. */
export function datapathValues(values: DatapathValues): DatapathValues {
  const names = Object.keys(datapathOptions) as (keyof DatapathValues)[]
  return Object.fromEntries(names.map((name) => [name, values[name]])) as unknown as DatapathValues
}

/** What does not come from options. */
export interface Surroundings {
  /** Absolute. */
  readonly statePath: string
  /** The metadata agent's unix socket, for a haproxy to ask. */
  readonly agentSocket: string
}

export function datapathConfig(values: DatapathValues, { statePath, agentSocket }: Surroundings): DatapathConfig {
  return {
    ...DATAPATH_DEFAULTS,
    enableIsolatedMetadata: values.enable_isolated_metadata,
    forceMetadata: values.force_metadata,
    enableMetadataNetwork: values.enable_metadata_network,
    dhcpLeaseDuration: values.dhcp_lease_duration,
    dnsDomain: values.dns_domain,
    enableMetadataProxy: values.enable_metadata_proxy,
    metadataPort: values.metadata_port,
    metadataAccessMark: Number(values.metadata_access_mark),
    metadataProxyDriver: values.metadata_proxy_driver,
    metadataProxySocket: agentSocket,
    rateLimit: rateLimit(values),
    statePath,
    hasIpv6: hasIpv6(),
  }
}

function rateLimit(values: DatapathValues): DatapathConfig['rateLimit'] {
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

/** What is another value than before, as a person reads it: `force_metadata: false -> true`. */
export function changedValues(before: DatapathValues, after: DatapathValues): readonly string[] {
  return (Object.keys(datapathOptions) as (keyof DatapathValues)[])
    .filter((name) => String(before[name]) !== String(after[name]))
    .map((name) => `${name}: ${before[name]} -> ${after[name]}`)
}
