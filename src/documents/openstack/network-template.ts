import { lastAddress, netmask, prefixLength } from '../../inventory/records/address.ts'
import type { Instance, InstanceInterface, InterfaceSubnet } from '../../inventory/records/instance.ts'
import type { Release } from '../release.ts'
import { firstSubnet, knownDhcpServer } from './subnets.ts'

/**
 * The network set-up as a Debian `interfaces` file, for interfaces whose network is marked for injection and has no DHCP
 * server. Host routes are not in it. `ethN` counts every interface that has subnets, the skipped ones too.
 * @returns undefined when no interface qualifies
 */
export function networkTemplate(instance: Instance, release: Release): string | undefined {
  const stanzas = instance.interfaces
    .filter((vif) => vif.subnets.length > 0)
    .map((vif, index) => ({ vif, name: `eth${index}` }))
    .filter(({ vif }) => isInjected(vif, release))
    .map(({ vif, name }) => interfaceStanzas(vif, name))
  return stanzas.length === 0 ? undefined : `${[PREAMBLE, ...stanzas].join('\n\n')}\n`
}

const PREAMBLE = `\
# Injected by Nova on instance boot
#
# This file describes the network interfaces available on your system
# and how to activate them. For more information, see interfaces(5).

# The loopback network interface
auto lo
iface lo inet loopback`

function isInjected(vif: InstanceInterface, release: Release): boolean {
  const first = [firstSubnet(vif, 4), firstSubnet(vif, 6)].filter((subnet) => subnet !== undefined)
  return vif.injected && first.every((subnet) => knownDhcpServer(subnet, release) === null)
}

function interfaceStanzas(vif: InstanceInterface, name: string): string {
  return [`auto ${name}`, ...stanza(vif, name, firstSubnet(vif, 4)), ...stanza(vif, name, firstSubnet(vif, 6))].join(
    '\n',
  )
}

/** IPv6 has the prefix length where IPv4 has a mask, and no broadcast address. */
function stanza(vif: InstanceInterface, name: string, subnet: InterfaceSubnet | undefined): readonly string[] {
  const address = subnet?.addresses[0]?.address
  if (!subnet || !address) return []
  const { cidr, gateway, dnsServers } = subnet
  const mask =
    subnet.ipVersion === 4
      ? [`    netmask ${netmask(cidr)}`, `    broadcast ${lastAddress(cidr)}`]
      : [`    netmask ${prefixLength(cidr)}`]
  return [
    `iface ${name} ${subnet.ipVersion === 4 ? 'inet' : 'inet6'} static`,
    `    hwaddress ether ${vif.macAddress}`,
    `    address ${address}`,
    ...mask,
    ...(gateway === null ? [] : [`    gateway ${gateway}`]),
    ...(dnsServers.length === 0 ? [] : [`    dns-nameservers ${dnsServers.join(' ')}`]),
  ]
}
