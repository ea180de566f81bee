import type { IpAddress, IpVersion } from '../../inventory/records/address.ts'
import type { InstanceInterface, InterfaceSubnet } from '../../inventory/records/instance.ts'
import { RELEASES, type Release } from '../release.ts'

/** Of each address family Nova shows the first subnet alone. */
export function firstSubnet({ subnets }: InstanceInterface, ipVersion: IpVersion): InterfaceSubnet | undefined {
  return subnets.find((subnet) => subnet.ipVersion === ipVersion)
}

/** The DHCP server Nova believes a subnet has, or null. */
export function knownDhcpServer(subnet: InterfaceSubnet, release: Release): IpAddress | null {
  if (subnet.dhcpServer !== null) return subnet.dhcpServer
  return RELEASES[release].gatewayStandsForDhcpServer && subnet.enableDhcp ? subnet.gateway : null
}
