import type { DesiredAt } from '../../datapath/desired.ts'
import { DHCP_PREFIX } from '../../datapath/dhcp/namespace.ts'
import { METADATA_IPV6, METADATA_PORT } from '../../datapath/metadata-address.ts'
import { ROUTER_PREFIX } from '../../datapath/router/namespace.ts'
import type { PathFacts, RecordFacts } from '../../explain/facts.ts'
import type { Ipv6Way } from '../../explain/ipv6.ts'
import type { Namespace } from '../../host/namespace.ts'
import { type Cidr, eui64Address, type IpAddress, type MacAddress } from '../../inventory/records/address.ts'

type Records = Omit<RecordFacts, 'found'>
export type PlannedIpv6Way = Omit<Ipv6Way, 'inside' | 'visit'>

const LINK_LOCAL = 'fe80::/64' as Cidr

/** What a device makes of its MAC address. */
export function linkLocalOf(mac: MacAddress): IpAddress {
  return eui64Address(LINK_LOCAL, mac)
}

/** Where the plan sends a guest that has no IPv4 address, and why. Pure. */
export function ipv6PathFacts(facts: Records, desired: DesiredAt): PathFacts {
  const isDhcpServed = isLeased(facts, desired)
  const [way] = ipv6Ways(facts, desired)
  if (way !== undefined) return { ...way, isDhcpServed }
  const netns = `${DHCP_PREFIX}${facts.network?.id}`
  const isThere = desired.namespaces.has(netns)
  return {
    kind: 'none',
    netns: isThere ? netns : undefined,
    nextHop: undefined,
    listensOn: undefined,
    because: `no router advertises a way to ${METADATA_IPV6}, and none has it on the link: ${because(desired, netns)}`,
    isDhcpServed,
  }
}

function because({ decisions }: DesiredAt, netns: string): string {
  return decisions.find((each) => each.netns === netns)?.because ?? 'nobody plans it'
}

/** Routers that advertise a way to the metadata address, and the DHCP port where it is on the link. Pure. */
export function ipv6Ways(facts: Records, desired: DesiredAt): readonly PlannedIpv6Way[] {
  const answers = (netns: string) =>
    desired.decisions.some((each) => each.netns === netns && each.answers) && desired.namespaces.has(netns)
  const netns = `${DHCP_PREFIX}${facts.network?.id}`
  const isOnLink = desired.namespaces
    .get(netns)
    ?.devices.some(({ addresses }) => addresses.includes(`${METADATA_IPV6}/64`))
  const onLink = { address: METADATA_IPV6, port: METADATA_PORT }
  return [
    ...advertisingRouters(facts, desired).flatMap((mac): PlannedIpv6Way[] => {
      const router = facts.routers.find(({ port }) => port.macAddress === mac)
      const name = `${ROUTER_PREFIX}${router?.router.id}`
      const [listener] = desired.namespaces.get(name)?.listeners ?? []
      const listensOn = listener && { address: listener.address, port: listener.port }
      const more = { netns: name, listensOn, because: because(desired, name) }
      return answers(name) ? [{ kind: 'router', nextHop: linkLocalOf(mac), ...more }] : []
    }),
    ...(isOnLink && answers(netns)
      ? [{ kind: 'dhcp', netns, nextHop: undefined, listensOn: onLink, because: because(desired, netns) } as const]
      : []),
  ]
}

/** MAC addresses of router interfaces by which the subnet is advertised, as radvd is told. Pure. */
export function advertisingRouters({ routers, subnet }: Records, { namespaces }: DesiredAt): readonly MacAddress[] {
  return routers
    .filter(({ router, port }) => {
      const file = radvdFile(namespaces.get(`${ROUTER_PREFIX}${router.id}`))
      const section = file.split(/^interface /m).find((each) => each.startsWith(`qr-${port.id.slice(0, 11)}\n`))
      return section?.includes(`prefix ${subnet?.cidr}\n`) === true
    })
    .map(({ port }) => port.macAddress)
}

function radvdFile(namespace: Namespace | undefined): string {
  const radvd = namespace?.programs.find(({ kind }) => kind === 'radvd')
  const files: Readonly<Record<string, string>> = { ...radvd?.files }
  return files['radvd.conf'] ?? ''
}

/** Whether dnsmasq has the guest's address to give out: the subnet has a range, and the address is reserved. Pure. */
export function isLeased({ network, subnet, fixedIp }: Records, { namespaces }: DesiredAt): boolean {
  const dnsmasq = namespaces.get(`${DHCP_PREFIX}${network?.id}`)?.programs.find(({ kind }) => kind === 'dnsmasq')
  const files: Readonly<Record<string, string>> = { ...dnsmasq?.files }
  const hasRange = dnsmasq?.arguments.some((each) => each.startsWith(`--dhcp-range=set:subnet-${subnet?.id},`)) === true
  return hasRange && files['host']?.includes(`,[${fixedIp?.ipAddress}]\n`) === true
}
