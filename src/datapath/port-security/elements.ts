import { type Element, element, outermost } from '../../host/port-security/elements.ts'
import { type Cidr, eui64Address, type IpAddress, ipVersion } from '../../inventory/records/address.ts'
import { isNetworkService, type Port, tapName } from '../../inventory/records/port.ts'

/** What the guests of this machine may send as. */
export interface PortSecurity {
  /** The host's ends of all ports there are, guarded or not. */
  readonly devices: ReadonlySet<string>
  readonly elements: ReadonlySet<Element>
}

/** Ports of DHCP and routers are ours, and exempt like those whose records say so. */
export function portSecurity(ports: Iterable<Port>): PortSecurity {
  const all = [...ports]
  return { devices: new Set(all.map(tapName)), elements: new Set(all.flatMap(elementsOf)) }
}

/** Records are immutable: an object's identity names its version. */
const known = new WeakMap<Port, readonly Element[]>()

function elementsOf(port: Port): readonly Element[] {
  const elements = known.get(port) ?? elementsFor(port)
  known.set(port, elements)
  return elements
}

const LINK_LOCAL = 'fe80::/64' as Cidr

/** @returns none for a port that is not guarded */
export function elementsFor(port: Port): readonly Element[] {
  if (!port.portSecurityEnabled || isNetworkService(port)) return []
  const device = tapName(port)
  const pairs = port.allowedAddressPairs
  const macs = [...new Set([port.macAddress, ...pairs.flatMap(({ macAddress }) => macAddress ?? [])])]
  const sources = [
    ...port.fixedIps.map(({ ipAddress }) => ipAddress),
    ...pairs.map(({ ipAddress }) => ipAddress),
    ...macs.map((mac) => eui64Address(LINK_LOCAL, mac)),
  ]
  const addresses = [...new Set(sources.filter((source): source is IpAddress => !isRange(source)))]
  const ranges = outermost(sources.filter(isRange))
  return [
    element('ports', device),
    ...macs.map((mac) => element('macs', device, mac)),
    ...addresses.flatMap((each) =>
      ipVersion(each) === 4
        ? [element('ipv4', device, each)]
        : [element('ipv6', device, each), element('targets', device, each)],
    ),
    ...ranges.flatMap((each) =>
      ipVersion(each) === 4
        ? [element('ipv4_ranges', device, each)]
        : [element('ipv6_ranges', device, each), element('target_ranges', device, each)],
    ),
  ]
}

function isRange(source: IpAddress | Cidr): source is Cidr {
  return source.includes('/')
}
