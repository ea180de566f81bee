import { basename } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { canonicalFirewall, FAMILIES } from '../../src/host/firewall.ts'
import {
  type Command,
  CommandFailed,
  type DatapathHost,
  type Observed,
  type ObservedBridge,
  type ObservedDevice,
  type ObservedNamespace,
  type ObservedPortSecurity,
  type ObservedProgram,
} from '../../src/host/host.ts'
import { type Device, listenerKey, NO_FIREWALL, type Program } from '../../src/host/namespace.ts'

type Changing<T> = { -readonly [K in keyof T]: T[K] }
type FakeNamespace = Changing<ObservedNamespace>

/** A machine in memory. It refuses what the kernel refuses (what exists cannot be added, what does not cannot be deleted
 *  or used) and prints itself. */
export class FakeHost implements DatapathHost {
  readonly bridges = new Map<string, Changing<ObservedBridge>>()
  readonly namespaces = new Map<string, FakeNamespace>()
  /** Networks whose leases are kept. */
  readonly dhcpNetworks = new Set<string>()
  /** undefined: a machine without nft. */
  portSecurity: Changing<ObservedPortSecurity> | undefined
  /** Open vSwitch: the ports of ours, by device. Its bridges need no making. */
  readonly switchPorts = new Map<string, { bridge: string; ifaceId: string }>()
  readonly unreadable = new Map<string, Error>()
  /** Commands of these namespaces fail: `netns` -> reason. */
  readonly broken = new Map<string, string>()
  #lastPid = 0
  readonly #listeners = new Set<(what: string) => void>()

  async observe(): Promise<Observed> {
    const { bridges, namespaces, dhcpNetworks, portSecurity, unreadable } = this
    const switchPorts = new Set(this.switchPorts.keys())
    return structuredClone({ bridges, namespaces, dhcpNetworks, portSecurity, switchPorts, unreadable })
  }

  async execute(commands: readonly Command[]): Promise<void> {
    for (const command of commands) {
      try {
        this.#apply(command)
      } catch (cause) {
        throw new CommandFailed(command, `${command.kind}: ${cause instanceof Error ? cause.message : cause}`)
      }
    }
  }

  onDrift(listener: (what: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  announce(what: string): void {
    for (const listener of this.#listeners) listener(what)
  }

  #apply(command: Command): void {
    if ('netns' in command && this.broken.has(command.netns)) throw new Error(this.broken.get(command.netns))
    const apply = this.#rules[command.kind] as (command: Command) => void
    apply(command)
  }

  readonly #rules: { readonly [K in Command['kind']]: (command: Extract<Command, { kind: K }>) => void } = {
    'bridge-add': ({ bridge }) => {
      absent(this.bridges, bridge.name)
      this.bridges.set(bridge.name, { ...bridge, up: true, owner: 'us', ports: [] })
    },
    'bridge-claim': ({ name }) => {
      const bridge = present(this.bridges, name)
      if (bridge.owner !== 'nobody') throw new Error(`it belongs to ${bridge.owner}`)
      bridge.owner = 'us'
    },
    'bridge-set': ({ bridge }) => {
      Object.assign(present(this.bridges, bridge.name), bridge, { up: true })
    },
    'bridge-delete': ({ name }) => {
      present(this.bridges, name)
      this.bridges.delete(name)
    },
    'netns-add': ({ netns }) => {
      absent(this.namespaces, netns)
      const empty = { sysctls: {}, devices: [], routes: [], listening: new Set<string>(), programs: [] }
      this.namespaces.set(netns, { name: netns, isOurs: true, isEmptyName: false, firewall: NO_FIREWALL, ...empty })
    },
    'netns-claim': ({ netns }) => {
      present(this.namespaces, netns).isOurs = true
    },
    'netns-delete': ({ netns }) => {
      const { devices, listening, programs } = present(this.namespaces, netns)
      if (listening.size > 0 || programs.length > 0) throw new Error('something keeps it alive')
      for (const { name } of devices) this.#removeDevice(netns, name)
      this.namespaces.delete(netns)
    },
    'sysctl-set': ({ netns, name, value }) => {
      const namespace = present(this.namespaces, netns)
      namespace.sysctls = { ...namespace.sysctls, [name]: value }
    },
    'device-add': ({ netns, device }) => {
      const namespace = present(this.namespaces, netns)
      if (namespace.devices.some(({ name }) => name === device.name)) throw new Error('File exists')
      this.#plug(device)
      namespace.devices = [...namespace.devices, { ...device, addresses: [], up: true }]
    },
    'device-set': ({ netns, device }) => {
      this.#plug(device)
      const { name, bridge, ifaceId, mtu } = device
      this.changeDevice(netns, name, { bridge, mtu, up: true, ...(ifaceId !== undefined && { ifaceId }) })
      const namespace = present(this.namespaces, netns)
      namespace.devices = namespace.devices.map(({ offloads, ...seen }) =>
        seen.name === name || offloads === undefined ? seen : { ...seen, offloads },
      )
    },
    'device-delete': ({ netns, name }) => this.#removeDevice(netns, name),
    'address-add': ({ netns, device, address }) => {
      const { addresses } = this.#device(netns, device)
      if (addresses.includes(address)) throw new Error('File exists')
      this.changeDevice(netns, device, { addresses: [...addresses, address] })
    },
    'address-delete': ({ netns, device, address }) => {
      const { addresses } = this.#device(netns, device)
      if (!addresses.includes(address)) throw new Error('Cannot assign requested address')
      this.changeDevice(netns, device, { addresses: addresses.filter((other) => other !== address) })
    },
    'route-set': ({ netns, route }) => {
      const namespace = present(this.namespaces, netns)
      this.#device(netns, route.device)
      const others = namespace.routes.filter(({ destination }) => destination !== route.destination)
      namespace.routes = [...others, route]
    },
    'route-delete': ({ netns, route }) => {
      const namespace = present(this.namespaces, netns)
      const left = namespace.routes.filter((other) => !isDeepStrictEqual(other, route))
      if (left.length === namespace.routes.length) throw new Error('No such process')
      namespace.routes = left
    },
    'firewall-set': ({ netns, firewall }) => {
      const namespace = present(this.namespaces, netns)
      namespace.firewall = canonicalFirewall(firewall)
    },
    'listener-open': ({ netns, listener }) => {
      const namespace = present(this.namespaces, netns)
      if (listener.device !== null) this.#device(netns, listener.device)
      const socket = (key: string) => key.split(' ')[0]
      const key = listenerKey(listener)
      if ([...namespace.listening].some((other) => socket(other) === socket(key))) throw new Error('address in use')
      namespace.listening = new Set([...namespace.listening, key])
    },
    'listener-close': ({ netns, key }) => {
      const namespace = present(this.namespaces, netns)
      namespace.listening = new Set([...namespace.listening].filter((other) => other !== key))
    },
    'program-start': ({ netns, program }) => {
      const namespace = present(this.namespaces, netns)
      if (namespace.programs.some(({ kind }) => kind === program.kind)) throw new Error('address in use')
      this.#run(netns, program)
      if (program.kind === 'dnsmasq') this.dhcpNetworks.add(basename(program.directory))
    },
    'program-restart': ({ netns, program }) => this.#run(netns, program),
    'program-reload': ({ netns, program }) => {
      const namespace = present(this.namespaces, netns)
      if (!namespace.programs.some(({ kind }) => kind === program.kind)) throw new Error('it does not run')
      namespace.programs = namespace.programs.map((one) =>
        one.kind === program.kind ? { ...one, files: { ...program.files } } : one,
      )
    },
    'program-stop': ({ netns, program }) => {
      const namespace = present(this.namespaces, netns)
      namespace.programs = namespace.programs.filter(({ kind }) => kind !== program)
    },
    'port-security-make': ({ elements }) => {
      Object.assign(this.#table(), { exists: true, damage: undefined, elements: new Set(elements) })
    },
    'port-security-set': ({ add, remove }) => {
      const table = this.#table()
      const absentOne = remove.find((each) => !table.elements.has(each))
      if (!table.exists || absentOne !== undefined) throw new Error('No such file or directory')
      const kept = [...table.elements].filter((each) => !remove.includes(each))
      table.elements = new Set([...kept, ...add])
    },
    'port-security-delete': () => {
      Object.assign(this.#table(), { exists: false, damage: undefined, elements: new Set() })
    },
    'dhcp-delete': ({ network }) => {
      if (!this.dhcpNetworks.delete(network)) throw new Error('No such directory')
    },
    'switch-port-delete': ({ name }) => {
      if (!this.switchPorts.delete(name)) throw new Error(`no port named ${name}`)
    },
  }

  /** What somebody does by hand. */
  changeDevice(netns: string, name: string, change: Partial<ObservedDevice>): void {
    this.#device(netns, name)
    const namespace = present(this.namespaces, netns)
    namespace.devices = namespace.devices.map((device) => (device.name === name ? { ...device, ...change } : device))
  }

  #table(): Changing<ObservedPortSecurity> {
    if (this.portSecurity === undefined) throw new Error('nft is not installed')
    return this.portSecurity
  }

  #plug({ peer, bridge, ifaceId }: Device): void {
    if (ifaceId !== undefined) {
      const rival = [...this.switchPorts].find(([name, port]) => name !== peer && port.ifaceId === ifaceId)
      if (rival !== undefined) throw new Error(`${rival[0]} has iface-id ${ifaceId} already`)
      this.switchPorts.set(peer, { bridge, ifaceId })
      return
    }
    const to = present(this.bridges, bridge)
    for (const from of this.bridges.values()) from.ports = from.ports.filter((port) => port !== peer)
    to.ports = [...to.ports, peer]
  }

  #run(netns: string, { kind, arguments: args, files }: Program): void {
    const namespace = present(this.namespaces, netns)
    const others = namespace.programs.filter((one) => one.kind !== kind)
    this.#lastPid += 1
    namespace.programs = [...others, { kind, arguments: args, pid: this.#lastPid, files: { ...files } }]
  }

  #device(netns: string, name: string): ObservedDevice {
    const device = present(this.namespaces, netns).devices.find((one) => one.name === name)
    if (device === undefined) throw new Error(`Cannot find device ${name}`)
    return device
  }

  #removeDevice(netns: string, name: string): void {
    const { peer } = this.#device(netns, name)
    const namespace = present(this.namespaces, netns)
    for (const bridge of this.bridges.values()) bridge.ports = bridge.ports.filter((port) => port !== peer)
    this.switchPorts.delete(peer)
    namespace.devices = namespace.devices.filter((device) => device.name !== name)
    namespace.routes = namespace.routes.filter(({ device }) => device !== name)
    namespace.listening = new Set([...namespace.listening].filter((key) => !key.includes(`%${name}]`)))
  }

  /** The machine as text, one thing a line. */
  print(): string {
    const bridges = [...this.bridges.values()].map(
      ({ name, mtu, up, ports }) => `bridge ${name} mtu ${mtu}${up ? '' : ' down'} ports ${ports.join(' ') || '-'}`,
    )
    return [...bridges, ...[...this.namespaces.values()].map(printNamespace)].join('\n')
  }
}

export function printNamespace(namespace: ObservedNamespace): string {
  const { name, devices, routes, firewall, listening, programs } = namespace
  return [
    `netns ${name}`,
    ...devices.flatMap((device) => [
      `  ${device.name} peer ${device.peer} on ${device.bridge} mtu ${device.mtu}${device.up ? '' : ' down'}`,
      ...device.addresses.map((address) => `    ${address}`),
    ]),
    ...routes.map(({ destination, gateway, device }) => `  ${destination} via ${gateway} dev ${device}`),
    ...FAMILIES.flatMap((family) =>
      firewall[family].flatMap((table) => [
        `  IPv${family} ${table.name} ${table.chains.join(' ')}`,
        ...table.rules.map((rule) => `    ${rule}`),
      ]),
    ),
    ...[...listening].map((key) => `  proxy ${key}`),
    ...programs.flatMap(printProgram),
  ].join('\n')
}

function printProgram({ kind, arguments: args, files }: ObservedProgram): readonly string[] {
  if (kind !== 'dnsmasq') return [`  ${kind} ${args.join(' ')}`]
  const ranges = args.filter((argument) => argument.startsWith('--dhcp-range'))
  const hosts = files?.['host']?.trimEnd().split('\n') ?? []
  return [`  dnsmasq ${ranges.join(' ')}`, ...hosts.filter(Boolean).map((line) => `    ${line}`)]
}

function present<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name)
  if (found === undefined) throw new Error(`No such thing as ${name}`)
  return found
}

function absent(map: ReadonlyMap<string, unknown>, name: string): void {
  if (map.has(name)) throw new Error(`${name}: File exists`)
}
