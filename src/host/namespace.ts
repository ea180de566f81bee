import type { Cidr, IpAddress, MacAddress } from '../inventory/records/address.ts'
import type { NetworkId, RouterId } from '../inventory/records/ids.ts'

/** What one network namespace must look like. Planners (datapath/dhcp/, ...) make these, `datapath/plan.ts` compares one
 *  with what is there, and this folder makes it so. Plain data: two equal ones need nothing done. */
export interface Namespace {
  /** `qdhcp-<network>`, `qrouter-<router>`, ... */
  readonly name: string
  /** `net.ipv4.ip_nonlocal_bind` -> `1`, ... */
  readonly sysctls: Readonly<Record<string, string>>
  readonly devices: readonly Device[]
  readonly routes: readonly Route[]
  /** Rules of the packet filter; none: it is not looked at. */
  readonly firewall: Firewall
  readonly listeners: readonly Listener[]
  /** At most one of each kind. */
  readonly programs: readonly Program[]
}

/** A veth pair: one end inside, the other on a bridge of the host's namespace, or a port of Open vSwitch. Checksums are computed in software on both
 *  ends: a guest behind a tap drops packets whose checksum was left to hardware that is not there. */
export interface Device {
  /** Inside, at most 15 characters (`ns-ac5f4e8a-8a`, `qr-...`, `qg-...`). */
  readonly name: string
  /** The host's end (`tapac5f4e8a-8a`). */
  readonly peer: string
  /** The bridge the peer is a port of (`brqac52ac2a-6e`). */
  readonly bridge: string
  /** The bridge is one of Open vSwitch, and this the peer's `iface-id` there. Absent: it is the kernel's. */
  readonly ifaceId?: string
  readonly mac: MacAddress
  readonly mtu: number
  /** `address/prefix` with host bits kept, in canonical text. The link-local address that the kernel makes of the MAC
   *  is not among them. */
  readonly addresses: readonly string[]
}

/** A route that no address brings by itself. One of each destination. */
export interface Route {
  /** `0.0.0.0/0` and `::/0` are the default routes. */
  readonly destination: Cidr
  readonly gateway: IpAddress
  readonly device: string
}

/** Rules by family and table, as `iptables-save` prints them. What others have in the same tables stays. */
export interface Firewall {
  readonly 4: readonly FirewallTable[]
  readonly 6: readonly FirewallTable[]
}

export const NO_FIREWALL: Firewall = { 4: [], 6: [] }

export interface FirewallTable {
  readonly name: 'raw' | 'mangle' | 'nat' | 'filter'
  /** Chains of our own, which nobody else fills. Each begins with a prefix of ours (`neutron-l3-agent-`, `neutron-filter-top`). */
  readonly chains: readonly string[]
  /** In order: `-A neutron-l3-agent-INPUT -p tcp -m tcp --dport 9697 -j DROP`, as `iptables-save` writes the rule. Those of a
   *  built-in chain (`-A INPUT -j neutron-l3-agent-INPUT`) stand behind what others have there. */
  readonly rules: readonly string[]
}

/** A socket on which the metadata proxy answers, and who asks there. */
export interface Listener {
  readonly address: IpAddress
  readonly port: number
  /** The device a link-local address belongs to; null for others. */
  readonly device: string | null
  readonly stamp: Stamp
}

/** The identity a proxy adds to each request: where it came from. */
export type Stamp = { readonly networkId: NetworkId } | { readonly routerId: RouterId }

/** Names a listener within its namespace, stamp included: `169.254.169.254:80 network=...`. Equal keys are the same
 *  socket answering in the same name. */
export function listenerKey({ address, port, device, stamp }: Listener): string {
  const host = address.includes(':') ? `[${address}${device === null ? '' : `%${device}`}]` : address
  return `${host}:${port} ${'networkId' in stamp ? `network=${stamp.networkId}` : `router=${stamp.routerId}`}`
}

/** A program that runs in the namespace and outlives us: guests need leases and routes while we restart. Started with its
 *  directory as the place of everything it reads and writes, by which the next run finds it again. */
export type Program = Dnsmasq | Radvd | Haproxy

interface ProgramCommons {
  /** Where its files lie: `<state_path>/dhcp/<network>`, `<state_path>/ra/<router>`, `<state_path>/ns-metadata-proxy/<id>`. Absolute. */
  readonly directory: string
  /** Everything behind the program's name, but for what concerns only how the process is run (foreground, user). */
  readonly arguments: readonly string[]
}

/** Reads all of `files` again on SIGHUP. */
export interface Dnsmasq extends ProgramCommons {
  readonly kind: 'dnsmasq'
  readonly files: DnsmasqFiles
  /** Leases to start with when there is no lease file yet, so that a guest's renewal is not refused. */
  readonly initialLeases: readonly { readonly mac: MacAddress; readonly address: IpAddress; readonly name: string }[]
  /** Seconds; -1 is for ever. */
  readonly leaseDuration: number
}

/** By file name. dnsmasq reads all of them again on SIGHUP. */
export interface DnsmasqFiles {
  /** --dhcp-hostsfile: `mac,name.domain,address` a line. */
  readonly host: string
  /** --addn-hosts: `address<TAB>name.domain name` a line. */
  readonly addn_hosts: string
  /** --dhcp-optsfile: `tag:subnet-<id>,option:...` a line. */
  readonly opts: string
}

/** Router advertisements. Reads `radvd.conf` again on SIGHUP. */
export interface Radvd extends ProgramCommons {
  readonly kind: 'radvd'
  readonly files: { readonly 'radvd.conf': string }
}

/** The metadata proxy as the field runs it, in place of listeners. A change of its file is a restart: it keeps what it read. */
export interface Haproxy extends ProgramCommons {
  readonly kind: 'haproxy'
  readonly files: { readonly 'haproxy.conf': string }
}

/** The bridge of one network in the host's namespace. */
export interface Bridge {
  readonly name: string
  readonly mtu: number
}
