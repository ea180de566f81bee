/** The Nova release whose answers are given. */
export type Release = 'zed' | 'master'

/** Everything a guest can see that differs between the releases. */
export interface ReleaseTraits {
  /** What `latest` means in the OpenStack tree; newer versions do not exist there. */
  readonly newestOpenstackVersion: '2020-10-14' | '2025-04-04'
  /** A subnet with DHCP on but without a DHCP port counts its gateway as the DHCP server (OVN networks). */
  readonly gatewayStandsForDhcpServer: boolean
  /** `enable_dhcp` alone makes a subnet a DHCP network in network_data.json. */
  readonly enableDhcpSuffices: boolean
}

/** Zed is 26.2.2, measured; master is as of August 2026, read. */
export const RELEASES: Readonly<Record<Release, ReleaseTraits>> = {
  zed: { newestOpenstackVersion: '2020-10-14', gatewayStandsForDhcpServer: true, enableDhcpSuffices: false },
  master: { newestOpenstackVersion: '2025-04-04', gatewayStandsForDhcpServer: false, enableDhcpSuffices: true },
}
