import type { IpAddress, MacAddress } from '../inventory/records/address.ts'
import type { NetworkId, RouterId } from '../inventory/records/ids.ts'

/** What one network namespace must look like. Planners (datapath/dhcp/, ...) make these, `datapath/plan.ts` compares one
 *  with what is there, and this folder makes it so. Plain data: two equal ones need nothing done. */
export interface Namespace {
  /** `qdhcp-<network>`, ... */
  readonly name: string
  /** `net.ipv4.ip_nonlocal_bind` -> `1`, ... */
  readonly sysctls: Readonly<Record<string, string>>
  readonly devices: readonly Device[]
  /** At most one of each address family. */
  readonly defaultRoutes: readonly DefaultRoute[]
  readonly listeners: readonly Listener[]
  readonly dnsmasq: Dnsmasq | null
}

/** A veth pair: one end inside, the other on a bridge of the host's namespace. */
export interface Device {
  /** Inside, at most 15 characters (`ns-ac5f4e8a-8a`). */
  readonly name: string
  /** The host's end (`tapac5f4e8a-8a`). */
  readonly peer: string
  /** The bridge the peer is a port of (`brqac52ac2a-6e`). */
  readonly bridge: string
  readonly mac: MacAddress
  readonly mtu: number
  /** `address/prefix` with host bits kept, in canonical text. The link-local address that the kernel makes of the MAC
   *  is not among them. */
  readonly addresses: readonly string[]
}

export interface DefaultRoute {
  readonly gateway: IpAddress
  readonly device: string
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

/** One dnsmasq and the files it reads. */
export interface Dnsmasq {
  /** Where its files lie: `<state_path>/dhcp/<network>`. Absolute. */
  readonly directory: string
  /** Everything behind the program's name, but for what concerns only how the process is run (foreground, user). */
  readonly arguments: readonly string[]
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

/** The bridge of one network in the host's namespace. */
export interface Bridge {
  readonly name: string
  readonly mtu: number
}
