import type { IpAddress, IpVersion } from '../../src/inventory/records/address.ts'
import { type Cidr, contains, fromNumber, parseCidr, toNumber } from '../../src/inventory/records/address.ts'
import type { NovaSubnet, NovaVif } from '../nova-inputs.ts'
import type { Random } from './random.ts'

/** Every type that the renderer keeps, and some that it turns into `phy`. */
const VIF_TYPES = [
  ...['ovs', 'bridge', 'dvs', 'hw_veb', 'hyperv', 'tap', 'vhostuser', 'vif'],
  ...['macvtap', 'hostdev', 'vrouter', 'unbound', 'other', 'OVS'],
] as const

const IPV6_MODES = ['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'] as const

export function randomVif(random: Random): NovaVif {
  const id = random.uuid()
  return {
    id,
    address: `fa:16:3e${random.hex(6).replace(/../g, ':$&')}`,
    type: random.once(3) ? random.pick(VIF_TYPES) : 'ovs',
    devname: random.once(4) ? null : `tap${id.slice(0, 11)}`,
    network: {
      id: random.uuid(),
      subnets: random.list(random.once(8) ? 0 : 1, 4, () => randomSubnet(random)),
      meta: { injected: random.once(4), ...drawMtu(random) },
    },
  }
}

function drawMtu(random: Random): { readonly mtu?: number | null } {
  return random.once(6) ? {} : { mtu: random.once(6) ? null : random.pick([1280, 1442, 1450, 1500, 9000]) }
}

function randomSubnet(random: Random): NovaSubnet {
  const version = random.pick([4, 4, 6] as const)
  const cidr = randomCidr(random, version)
  const address = () => ({ address: randomAddress(random, cidr) })
  return {
    cidr,
    version,
    gateway: random.once(5) ? { address: null } : address(),
    dns: random.list(0, 3, () => ({ address: anyAddress(random, random.once(4) ? 10 - version : version) })),
    ips: random.list(random.once(8) ? 0 : 1, 3, () => ({ ...address(), floating_ips: floatingIps(random, version) })),
    routes: random.list(0, 2, () => ({ cidr: randomCidr(random, version), gateway: address() })),
    meta: {
      ...(random.once(3) ? { dhcp_server: randomAddress(random, cidr) } : {}),
      ...(random.once(3) ? { enable_dhcp: random.once(2) } : {}),
      ...(version === 6 && random.once(2) ? { ipv6_address_mode: random.pick(IPV6_MODES) } : {}),
    },
  }
}

function floatingIps(random: Random, version: IpVersion) {
  const count = version === 4 && random.once(3) ? 2 : 0
  return random.list(0, count, () => ({ address: anyAddress(random, 4) }))
}

/** Ranges as people choose them, and a few that only a program would. */
function randomCidr(random: Random, version: IpVersion): Cidr {
  const [common, widest, narrowest] = version === 4 ? [24, 8, 32] : [64, 16, 128]
  const bits = random.once(3) ? random.integer(widest, narrowest) : common
  return parseCidr(`${anyAddress(random, version)}/${bits}`) ?? fail()
}

function randomAddress(random: Random, cidr: Cidr): IpAddress {
  const version = cidr.includes(':') ? 6 : 4
  const width = version === 4 ? 32n : 128n
  const [network = '', bits = '0'] = cidr.split('/')
  const host = toNumber(anyAddress(random, version)) & ((1n << (width - BigInt(bits))) - 1n)
  const address = fromNumber(toNumber(network as IpAddress) | host, version)
  return contains(cidr, address) ? address : fail()
}

/** Private or documentation ranges; in IPv6 with runs of zeros, which have a short form. */
function anyAddress(random: Random, version: number): IpAddress {
  const number =
    version === 4
      ? (BigInt(random.pick([10, 172, 192, 198, 203])) << 24n) | BigInt(random.integer(0, 0xffffff))
      : groups(random).reduce((address, group) => (address << 16n) | BigInt(group), 0n)
  return fromNumber(number, version === 4 ? 4 : 6)
}

function groups(random: Random): readonly number[] {
  const rest = Array.from({ length: 6 }, () => (random.once(2) ? 0 : random.integer(0, 0xffff)))
  return [random.pick([0x2001, 0xfd00, 0xfe80]), 0xdb8, ...rest]
}

function fail(): never {
  throw new Error('a random address is malformed')
}
