import type { Radvd } from '../../host/namespace.ts'
import { ipVersion } from '../../inventory/records/address.ts'
import type { Ipv6Mode, Subnet } from '../../inventory/records/subnet.ts'
import { METADATA_IPV6 } from '../metadata-address.ts'
import type { RouterConfig } from './config.ts'
import type { Interface, RouterView } from './router-view.ts'

/** The field's `min_rtr_adv_interval` and `max_rtr_adv_interval`, seconds. */
const INTERVALS = { min: 30, max: 100 }
/** Name servers one advertisement has room for, by the field's rule. */
const MOST_SERVERS = 3
/** RFC 8200: no link is smaller. */
const LEAST_MTU = 1280

/** The radvd of a router, with the file the L3 agent writes. @returns undefined when no subnet is advertised */
export function radvdOf({ id, interfaces }: RouterView, config: RouterConfig): Radvd | undefined {
  const advertised = interfaces.filter((each) => !each.isFormer && advertisedSubnets(each).length > 0)
  if (!config.hasIpv6 || advertised.length === 0) return undefined
  const directory = `${config.statePath}/ra/${id}`
  return {
    kind: 'radvd',
    directory,
    arguments: ['-C', `${directory}/radvd.conf`, '-p', `${directory}/pid`],
    files: { 'radvd.conf': advertised.map(section).join('\n') },
  }
}

function advertisedSubnets({ addresses }: Interface): readonly Subnet[] {
  const subnets = addresses.flatMap(({ address, subnet }) =>
    ipVersion(address) === 6 && subnet.ipv6RaMode !== null ? [subnet] : [],
  )
  return [...new Map(subnets.map((subnet) => [subnet.id, subnet])).values()]
}

/** Blank lines are the L3 agent's, so that its files and ours can be compared. */
function section(each: Interface): string {
  const subnets = advertisedSubnets(each)
  const modes = new Set<Ipv6Mode | null>(subnets.map(({ ipv6RaMode }) => ipv6RaMode))
  const servers = subnets
    .filter(isAutonomous)
    .flatMap(({ dnsNameservers }) => dnsNameservers)
    .filter((server) => ipVersion(server) === 6)
    .slice(0, MOST_SERVERS)
  return `interface ${each.device}
{
   AdvSendAdvert on;
   MinRtrAdvInterval ${INTERVALS.min};
   MaxRtrAdvInterval ${INTERVALS.max};
${each.network.mtu >= LEAST_MTU ? `   AdvLinkMTU ${each.network.mtu};\n` : ''}${
  modes.has('dhcpv6-stateless') ? '   AdvOtherConfigFlag on;\n' : ''
}${modes.has('dhcpv6-stateful') ? '   AdvManagedFlag on;\n' : ''}${
  servers.length > 0 ? `   RDNSS ${servers.join(' ')} {};\n` : ''
}   
${subnets.map(prefix).join('')}   

   route ${METADATA_IPV6}/128 {
   };
};`
}

function prefix(subnet: Subnet): string {
  return `   prefix ${subnet.cidr}
   {
        AdvOnLink on;
        AdvAutonomous ${isAutonomous(subnet) ? 'on' : 'off'};
   };
`
}

/** Guests make their addresses themselves. */
function isAutonomous({ ipv6RaMode }: Subnet): boolean {
  return ipv6RaMode !== 'dhcpv6-stateful'
}
