import type { Values } from '../config/option.ts'
import type { datapathOptions } from '../config/options/datapath.ts'
import { DATAPATH_DEFAULTS, type DatapathConfig } from '../datapath/config.ts'
import { hasIpv6 } from '../host/ipv6.ts'
import { proxyConfig, type Surroundings } from './proxy-config.ts'

/** The options of the datapath, under the field's names. */
export type DatapathValues = Values<typeof datapathOptions>

export function datapathConfig(values: DatapathValues, surroundings: Surroundings): DatapathConfig {
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
    ...proxyConfig(values, surroundings),
    hasIpv6: hasIpv6(),
  }
}
