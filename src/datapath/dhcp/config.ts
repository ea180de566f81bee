import type { IpAddress } from '../../inventory/records/address.ts'
import type { ProxyConfig } from '../proxy.ts'

/** What dhcp_agent.ini and neutron.conf decide; each field is the option of the same name there. */
export interface DhcpConfig extends ProxyConfig {
  readonly enableIsolatedMetadata: boolean
  readonly forceMetadata: boolean
  readonly enableMetadataNetwork: boolean
  /** Seconds; -1 is for ever. */
  readonly dhcpLeaseDuration: number
  /** Seconds until T1 and T2; 0 leaves them to dnsmasq. */
  readonly dhcpRenewalTime: number
  readonly dhcpRebindingTime: number
  readonly dhcpBroadcastReply: boolean
  /** Empty text: names without a domain. */
  readonly dnsDomain: string
  /** Where dnsmasq forwards questions. */
  readonly dnsmasqDnsServers: readonly IpAddress[]
  /** Forward to the servers of the host's own resolv.conf. */
  readonly dnsmasqLocalResolv: boolean
  /** Empty text: none, not even the system's. */
  readonly dnsmasqConfigFile: string
  /** Most leases of one network. */
  readonly dnsmasqLeaseMax: number
  /** Whether this machine's kernel has IPv6 at all. No option: found out at start. */
  readonly hasIpv6: boolean
}

/** The field's defaults, but for `enable_isolated_metadata`: Debian's default, without which an isolated network has no
 *  metadata at all. */
export const DHCP_DEFAULTS: Omit<DhcpConfig, 'statePath'> = {
  metadataProxyDriver: 'native',
  metadataProxySocket: '/run/metadata_proxy',
  rateLimit: null,
  enableIsolatedMetadata: true,
  forceMetadata: false,
  enableMetadataNetwork: false,
  dhcpLeaseDuration: 86_400,
  dhcpRenewalTime: 0,
  dhcpRebindingTime: 0,
  dhcpBroadcastReply: false,
  dnsDomain: 'openstacklocal',
  dnsmasqDnsServers: [],
  dnsmasqLocalResolv: false,
  dnsmasqConfigFile: '',
  dnsmasqLeaseMax: 16_777_216,
  hasIpv6: true,
}
