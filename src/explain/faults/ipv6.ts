import type { Facts } from '../facts.ts'
import { type Fault, knownOf, type Severity, type Spot } from '../fault.ts'
import { byIpv6, type Ipv6Facts, severityOf } from '../ipv6.ts'
import { stepFault } from './step-fault.ts'

const METADATA = 'fe80::a9fe:a9fe'

/** What guests with IPv6 meet with. They ask without a lease: the metadata address is on the link, or advertised by a router. */
export const ipv6Faults: readonly Fault[] = [
  stepFault(
    ['program-start'],
    {
      id: 'radvd-dead',
      step: 'dhcp',
      symptom: 'guests that boot have no IPv6 address of their network and no default route',
      cause: 'the radvd of the router has ended, and cannot be started',
      recognised: 'it does not run in the namespace of the router',
      expected: 'radvd runs in the namespace of the router',
      mend: 'firstboot datapath status says why it cannot be started: it is not installed, a full disk',
    },
    ({ command }) => command.kind === 'program-start' && command.program.kind === 'radvd',
    unlessOnLink,
  ),
  {
    id: 'radvd-silent',
    step: 'dhcp',
    severity: 'broken',
    isSymptom: true,
    symptom: 'guests have no IPv6 address of their network and no default route',
    cause: 'the router advertises nothing: its radvd hangs, or somebody drops what it says',
    recognised: 'a router solicitation is not answered by a router that is to advertise the subnet',
    expected: 'the router answers a router solicitation',
    mend: 'look at the radvd of the router (kill -CONT it if it was stopped), and at ip6tables in its namespace',
    judge: (facts) =>
      ofHeard(facts, ({ advertisers }, { adverts }) =>
        [...advertisers]
          .filter((mac) => !adverts.some((advert) => advert.mac === mac))
          .map((mac) => ({ observed: `${mac} answers no router solicitation`, severity: unlessOnLink(facts) })),
      ),
  },
  {
    id: 'advert-wrong',
    step: 'dhcp',
    severity: 'broken',
    symptom: 'guests make themselves no address, or look for fe80::a9fe:a9fe where nobody has it',
    cause: 'radvd goes by another file than the plan',
    recognised: 'what our router advertises lacks the prefix of the subnet, or the route to the metadata address',
    expected: `the router advertises the prefix of the subnet, and a route to ${METADATA}`,
    mend: 'look at radvd.conf in the state directory; kill -HUP the radvd of the router',
    judge: (facts) =>
      ofHeard(facts, ({ advertisers, subnet }, { adverts }) =>
        adverts
          .filter(({ mac }) => advertisers.has(mac))
          .flatMap(({ address, prefixes, routes }) => [
            ...(prefixes.includes(subnet.cidr) ? [] : [`${address} does not advertise ${subnet.cidr}`]),
            ...(routes.some((route) => route === `${METADATA}/128`) ? [] : [`${address} has no route to ${METADATA}`]),
          ])
          .map((observed) => ({ observed, severity: unlessOnLink(facts) })),
      ),
  },
  {
    id: 'advert-stranger',
    step: 'dhcp',
    severity: 'risk',
    symptom: 'guests have addresses of a foreign prefix, and a default route that leads nowhere',
    cause:
      'somebody else on the network advertises itself as a router: a guest that forwards, a bridge to another network',
    recognised: 'a router solicitation is answered by a default router that is not ours, where ours is to advertise',
    expected: 'nobody but our routers advertises',
    mend: 'find the device by its MAC address (firstboot explain MAC) and end its radvd',
    judge: (facts) =>
      ofHeard(facts, ({ advertisers, own }, { adverts }) =>
        adverts
          .filter(({ mac, isDefault }) => advertisers.size > 0 && isDefault && !own.has(mac))
          .map(({ mac, address, prefixes }) => `${mac} (${address}) advertises ${prefixes.join(', ') || 'itself'}`),
      ),
  },
  {
    id: 'dhcpv6-silent',
    step: 'dhcp',
    severity: 'risk',
    isSymptom: true,
    symptom: 'no IPv6 lease',
    cause:
      'dnsmasq runs and offers this guest no IPv6 address: it hangs, its port is closed, or it does not know the port yet',
    recognised: 'a solicitation of DHCPv6 in the guest’s name is not answered',
    expected: 'dnsmasq offers the guest its address',
    mend: 'look whether UDP port 547 is open in the namespace, and whether the host file has the MAC address',
    judge: (facts) =>
      ofHeard(facts, ({ isLeased }, { offers }) =>
        isLeased && offers.length === 0 ? ['a solicitation of DHCPv6 in the guest’s name is not answered'] : [],
      ),
  },
  {
    id: 'dhcpv6-wrong-address',
    step: 'dhcp',
    severity: 'risk',
    symptom: 'the guest has no IPv6 address, or one that nobody knows',
    cause: 'dnsmasq goes by an earlier state of its files or leases, or somebody else answers DHCPv6',
    recognised: 'another IPv6 address than the port’s is offered, or none',
    expected: 'the fixed IP is offered',
    mend: 'kill -HUP the dnsmasq of the network; when the offer is not its own, find the device by its MAC address',
    judge: (facts) =>
      ofHeard(facts, ({ isLeased, fixedIp }, { offers }) =>
        offers
          .filter(({ address }) => isLeased && address !== fixedIp.ipAddress)
          .map(({ address, mac }) => `${mac} offers ${address ?? 'no address'}, not ${fixedIp.ipAddress}`),
      ),
  },
  {
    id: 'ipv6-address-taken',
    step: 'guest',
    severity: 'broken',
    symptom: 'answers by IPv6 go to somebody else, or the guest gives its address up',
    cause: 'another device on the network has taken an IPv6 address of the guest',
    recognised:
      'another MAC address answers for the fixed IP, or for the link-local address that the guest makes of its MAC',
    expected: 'nobody but the guest has its addresses',
    mend: 'find the device by its MAC address (bridge fdb show, firstboot list ports) and take the address away there',
    judge: (facts) =>
      ofHeard(facts, ({ fixedIp, linkLocal }, { claims }) =>
        [fixedIp.ipAddress, linkLocal].flatMap((address) =>
          [...(claims.get(address) ?? [])]
            .filter((mac) => mac !== facts.records.port?.macAddress)
            .map((mac) => byIpv6(facts, `${mac} answers for ${address}`)),
        ),
      ),
  },
  {
    id: 'metadata-address-taken',
    step: 'guest',
    severity: 'broken',
    symptom: 'by IPv6 some guests reach metadata, some do not, and it changes',
    cause: `a device that is not ours has ${METADATA}`,
    recognised: `a MAC address that is of no device of ours answers for ${METADATA}`,
    expected: `nobody but us has ${METADATA}`,
    mend: 'find the device by its MAC address (bridge fdb show) and take the address away there',
    judge: (facts) =>
      ofHeard(facts, ({ own }, { claims }) =>
        [...claims]
          .filter(([address]) => address === METADATA)
          .flatMap(([, macs]) => [...macs].filter((mac) => !own.has(mac)))
          .map((mac) => byIpv6(facts, `${mac} answers for ${METADATA}`)),
      ),
  },
  {
    id: 'guest-without-ipv6',
    step: 'guest',
    severity: 'broken',
    isSymptom: true,
    symptom: 'the guest is on the network and does not answer by IPv6',
    cause:
      'the guest has no IPv6: it is still booting, has it switched off, or port security drops what it sends from addresses of its own making',
    recognised: 'its device is plugged in, and it answers for neither its fixed IP nor its link-local address',
    expected: 'the guest has its addresses',
    mend: 'look at the console of the guest (firstboot console SERVER): sysctl net.ipv6.conf.DEVICE.disable_ipv6, and with port security addr_gen_mode=0 (NetworkManager: ipv6.addr-gen-mode=eui64)',
    judge: (facts) =>
      ofHeard(facts, ({ fixedIp, linkLocal }, { guest, claims }) => {
        const { tap, heardOn } = knownOf(facts.plug) ?? {}
        const isThere = tap !== undefined || heardOn !== undefined
        const isHeard = guest.size > 0 || [fixedIp.ipAddress, linkLocal].some((each) => claims.get(each)?.size)
        return isThere && !isHeard ? [byIpv6(facts, `nobody answers for ${fixedIp.ipAddress} or ${linkLocal}`)] : []
      }),
  },
  {
    id: 'guest-ipv6-address-unused',
    step: 'guest',
    severity: 'risk',
    isSymptom: true,
    symptom: 'the guest reads its metadata, and is not reached at its IPv6 address',
    cause:
      'the guest has not taken the address of its port: it heeds no router, has not asked DHCPv6, or thinks up addresses (privacy extensions)',
    recognised: 'it answers by its link-local address, and nobody does for the fixed IP, which is advertised or leased',
    expected: 'the guest has the IPv6 address of its port',
    mend: 'let the guest take it: net.ipv6.conf.DEVICE.accept_ra=1 and addresses made of the MAC (EUI-64), or a DHCPv6 client',
    judge: (facts) =>
      ofHeard(facts, ({ fixedIp, advertisers, isLeased }, { guest, claims }) =>
        guest.size > 0 && (advertisers.size > 0 || isLeased) && claims.get(fixedIp.ipAddress)?.size === 0
          ? [`nobody answers for ${fixedIp.ipAddress}`]
          : [],
      ),
  },
]

type Heard = Extract<Ipv6Facts['heard'], { readonly value: unknown }>['value']

function ofHeard(
  { ipv6 }: Facts,
  judge: (asked: Ipv6Facts, heard: Heard) => readonly Spot[],
): readonly Spot[] | undefined {
  const heard = ipv6 && knownOf(ipv6.heard)
  return ipv6 === undefined || heard === undefined ? undefined : judge(ipv6, heard)
}

/** A guest that is told of no route looks for the metadata address on its link. */
function unlessOnLink(facts: Facts): Severity {
  return facts.ipv6?.ways.some(({ kind }) => kind === 'dhcp') ? 'risk' : severityOf(facts, 6)
}
