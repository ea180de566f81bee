import type { Owner } from './mark.ts'
import type { Bridge, Device, Firewall, Listener, Program, Route } from './namespace.ts'
import type { Element } from './port-security/elements.ts'

/** The kernel and its programs as the datapath needs them. `kernel-host.ts` is the real one; a fake that behaves serves
 *  the tests. */
export interface DatapathHost {
  /** Everything on this machine that carries one of our prefixes, orphans of earlier runs included. */
  observe(): Promise<Observed>
  /**
   * Carries out commands in order. Commands that stand side by side may share a process.
   * @throws CommandFailed at the first that fails: those before it are done, those behind it are not begun
   */
  execute(commands: readonly Command[]): Promise<void>
  /** Calls back when something of ours changed behind our back (a dnsmasq died, a namespace was deleted), with what
   *  it was. @returns a function that ends it */
  onDrift(listener: (what: string) => void): () => void
}

export interface Observed {
  readonly bridges: ReadonlyMap<string, ObservedBridge>
  readonly namespaces: ReadonlyMap<string, ObservedNamespace>
  /** Ids of the networks whose DHCP leases and files are kept on disk. */
  readonly dhcpNetworks: ReadonlySet<string>
  /** undefined: it cannot be looked at, or there is no nft to change anything with. */
  readonly portSecurity: ObservedPortSecurity | undefined
  /** Devices that we made ports of Open vSwitch, whether they are still there or not. */
  readonly switchPorts: ReadonlySet<string>
  /** Namespaces that are there but could not be looked into, and why, and the table of port security likewise. Nothing may
   *  be concluded about them. */
  readonly unreadable: ReadonlyMap<string, Error>
}

/** The table of nftables that keeps guests from sending as somebody else. */
export interface ObservedPortSecurity {
  /** Its name, by which a report knows it. */
  readonly table: string
  readonly exists: boolean
  /** What is wrong with its rules, so that it has to be made anew; undefined: nothing. */
  readonly damage: string | undefined
  readonly elements: ReadonlySet<Element>
}

export interface ObservedBridge extends Bridge {
  /** One of others may be used, and is never deleted. */
  readonly owner: Owner
  readonly up: boolean
  /** Names of the devices plugged into it. */
  readonly ports: readonly string[]
}

/** A namespace as found, of ours or of nobody: those of others are not looked at. Listeners and dnsmasq are those that really run. */
export interface ObservedNamespace {
  readonly name: string
  /** Marked: one that is not holds nothing, may be taken, and is never deleted. */
  readonly isOurs: boolean
  /** Only the name is there: the mount behind it is gone, as after the restart of a container. */
  readonly isEmptyName: boolean
  readonly sysctls: Readonly<Record<string, string>>
  readonly devices: readonly ObservedDevice[]
  /** Those with a gateway. */
  readonly routes: readonly Route[]
  /** Of our chains, and of the built-in ones the rules that jump to ours. Tables without either are left out. */
  readonly firewall: Firewall
  /** Keys (see `listenerKey`) of the sockets our process has open there. */
  readonly listening: ReadonlySet<string>
  /** Those that run. */
  readonly programs: readonly ObservedProgram[]
}

export interface ObservedDevice extends Device {
  /** Both ends are. */
  readonly up: boolean
  /** What it sends has no checksums: that is left to hardware. Absent: the kernel computes them. */
  readonly offloads?: true
}

export interface ObservedProgram extends Pick<Program, 'kind' | 'arguments'> {
  readonly pid: number
  /** What it has read, by file name; undefined for one adopted from an earlier run, of which nobody knows. */
  readonly files: Readonly<Record<string, string>> | undefined
}

/** One step, small enough to be repeated or to fail on its own. */
export type Command =
  | { readonly kind: 'bridge-add'; readonly bridge: Bridge }
  /** Marks one that is nobody's as ours. */
  | { readonly kind: 'bridge-claim'; readonly name: string }
  /** Corrects MTU and state of one that exists. */
  | { readonly kind: 'bridge-set'; readonly bridge: Bridge }
  | { readonly kind: 'bridge-delete'; readonly name: string }
  | { readonly kind: 'netns-add'; readonly netns: string }
  /** Marks one that is nobody's as ours. */
  | { readonly kind: 'netns-claim'; readonly netns: string }
  | { readonly kind: 'netns-delete'; readonly netns: string }
  | { readonly kind: 'sysctl-set'; readonly netns: string; readonly name: string; readonly value: string }
  | { readonly kind: 'device-add'; readonly netns: string; readonly device: Device }
  /** Corrects bridge, MTU and state of one that exists. */
  | { readonly kind: 'device-set'; readonly netns: string; readonly device: Device }
  | { readonly kind: 'device-delete'; readonly netns: string; readonly name: string; readonly peer: string }
  | { readonly kind: 'address-add'; readonly netns: string; readonly device: string; readonly address: string }
  | { readonly kind: 'address-delete'; readonly netns: string; readonly device: string; readonly address: string }
  /** Adds one, or gives one of the same destination another gateway. */
  | { readonly kind: 'route-set'; readonly netns: string; readonly route: Route }
  | { readonly kind: 'route-delete'; readonly netns: string; readonly route: Route }
  /** Makes our chains and our jumps of both families as given, in one transaction a family; `NO_FIREWALL` removes them. */
  | { readonly kind: 'firewall-set'; readonly netns: string; readonly firewall: Firewall }
  /** `beside`: beside a haproxy that listens there and is stopped afterwards. */
  | { readonly kind: 'listener-open'; readonly netns: string; readonly listener: Listener; readonly beside?: true }
  /** `relieved`: another listens in its place, so it finishes what it has begun. */
  | { readonly kind: 'listener-close'; readonly netns: string; readonly key: string; readonly relieved?: true }
  /** `beside`: keys of the sockets of ours that listen where it is to, and are closed afterwards. */
  | {
      readonly kind: 'program-start'
      readonly netns: string
      readonly program: Program
      readonly beside?: readonly string[]
    }
  | { readonly kind: 'program-restart'; readonly netns: string; readonly program: Program }
  /** Writes its files and lets it read them again. */
  | { readonly kind: 'program-reload'; readonly netns: string; readonly program: Program }
  /** `relieved`: as above. */
  | {
      readonly kind: 'program-stop'
      readonly netns: string
      readonly program: Program['kind']
      readonly relieved?: true
    }
  /** Makes the table anew, with these elements, in one transaction. */
  | { readonly kind: 'port-security-make'; readonly table: string; readonly elements: readonly Element[] }
  /** In one transaction. */
  | {
      readonly kind: 'port-security-set'
      readonly table: string
      readonly add: readonly Element[]
      readonly remove: readonly Element[]
    }
  | { readonly kind: 'port-security-delete'; readonly table: string }
  /** Deletes what dnsmasq kept of a network that is no more. */
  | { readonly kind: 'dhcp-delete'; readonly network: string }
  /** Takes away a port of Open vSwitch whose device is gone. */
  | { readonly kind: 'switch-port-delete'; readonly name: string }

export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  readonly command: Command
  constructor(command: Command, message: string, options?: ErrorOptions) {
    super(message, options)
    this.command = command
  }
}
