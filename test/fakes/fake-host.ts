import { basename } from 'node:path'
import {
  type Command,
  CommandFailed,
  type DatapathHost,
  type Observed,
  type ObservedBridge,
  type ObservedDevice,
  type ObservedNamespace,
} from '../../src/host/host.ts'
import { listenerKey } from '../../src/host/namespace.ts'
import { ipVersion } from '../../src/inventory/records/address.ts'

type Changing<T> = { -readonly [K in keyof T]: T[K] }
type FakeNamespace = Changing<ObservedNamespace>

/** A machine in memory. It refuses what the kernel refuses (what exists cannot be added, what does not cannot be deleted
 *  or used) and prints itself. */
export class FakeHost implements DatapathHost {
  readonly bridges = new Map<string, Changing<ObservedBridge>>()
  readonly namespaces = new Map<string, FakeNamespace>()
  /** Networks whose leases are kept. */
  readonly dhcpNetworks = new Set<string>()
  readonly unreadable = new Map<string, Error>()
  /** Commands of these namespaces fail: `netns` -> reason. */
  readonly broken = new Map<string, string>()
  readonly #listeners = new Set<(what: string) => void>()

  async observe(): Promise<Observed> {
    const { bridges, namespaces, dhcpNetworks, unreadable } = this
    return structuredClone({ bridges, namespaces, dhcpNetworks, unreadable })
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
      const empty = { sysctls: {}, devices: [], defaultRoutes: [], listening: new Set<string>(), dnsmasq: undefined }
      this.namespaces.set(netns, { name: netns, isOurs: true, isEmptyName: false, ...empty })
    },
    'netns-claim': ({ netns }) => {
      present(this.namespaces, netns).isOurs = true
    },
    'netns-delete': ({ netns }) => {
      const { devices, listening, dnsmasq } = present(this.namespaces, netns)
      if (listening.size > 0 || dnsmasq !== undefined) throw new Error('something keeps it alive')
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
      const bridge = present(this.bridges, device.bridge)
      bridge.ports = [...bridge.ports, device.peer]
      namespace.devices = [...namespace.devices, { ...device, addresses: [], up: true }]
    },
    'device-set': ({ netns, device: { name, peer, bridge, mtu } }) => {
      const to = present(this.bridges, bridge)
      for (const from of this.bridges.values()) from.ports = from.ports.filter((port) => port !== peer)
      to.ports = [...to.ports, peer]
      this.changeDevice(netns, name, { bridge, mtu, up: true })
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
    'default-route-set': ({ netns, route }) => {
      const namespace = present(this.namespaces, netns)
      this.#device(netns, route.device)
      const others = namespace.defaultRoutes.filter(({ gateway }) => ipVersion(gateway) !== ipVersion(route.gateway))
      namespace.defaultRoutes = [...others, route]
    },
    'default-route-delete': ({ netns, route }) => {
      const namespace = present(this.namespaces, netns)
      const left = namespace.defaultRoutes.filter(({ gateway }) => gateway !== route.gateway)
      if (left.length === namespace.defaultRoutes.length) throw new Error('No such process')
      namespace.defaultRoutes = left
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
    'dnsmasq-start': ({ netns, dnsmasq }) => {
      const namespace = present(this.namespaces, netns)
      if (namespace.dnsmasq !== undefined) throw new Error('address in use')
      namespace.dnsmasq = dnsmasq
      this.dhcpNetworks.add(basename(dnsmasq.directory))
    },
    'dnsmasq-restart': ({ netns, dnsmasq }) => {
      const namespace = present(this.namespaces, netns)
      namespace.dnsmasq = dnsmasq
    },
    'dnsmasq-reload': ({ netns, dnsmasq }) => {
      const namespace = present(this.namespaces, netns)
      if (namespace.dnsmasq === undefined) throw new Error('it does not run')
      namespace.dnsmasq = { ...namespace.dnsmasq, files: dnsmasq.files }
    },
    'dnsmasq-stop': ({ netns }) => {
      const namespace = present(this.namespaces, netns)
      namespace.dnsmasq = undefined
    },
    'dhcp-delete': ({ network }) => {
      if (!this.dhcpNetworks.delete(network)) throw new Error('No such directory')
    },
  }

  /** What somebody does by hand. */
  changeDevice(netns: string, name: string, change: Partial<ObservedDevice>): void {
    this.#device(netns, name)
    const namespace = present(this.namespaces, netns)
    namespace.devices = namespace.devices.map((device) => (device.name === name ? { ...device, ...change } : device))
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
    namespace.devices = namespace.devices.filter((device) => device.name !== name)
    namespace.defaultRoutes = namespace.defaultRoutes.filter(({ device }) => device !== name)
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
  const { name, devices, defaultRoutes, listening, dnsmasq } = namespace
  return [
    `netns ${name}`,
    ...devices.flatMap((device) => [
      `  ${device.name} peer ${device.peer} on ${device.bridge} mtu ${device.mtu}${device.up ? '' : ' down'}`,
      ...device.addresses.map((address) => `    ${address}`),
    ]),
    ...defaultRoutes.map(({ gateway, device }) => `  default via ${gateway} dev ${device}`),
    ...[...listening].map((key) => `  proxy ${key}`),
    ...(dnsmasq === undefined
      ? []
      : [
          `  dnsmasq ${dnsmasq.arguments.filter((argument) => argument.startsWith('--dhcp-range')).join(' ')}`,
          ...(dnsmasq.files?.host.trimEnd().split('\n') ?? []).filter(Boolean).map((line) => `    ${line}`),
        ]),
  ].join('\n')
}

function present<T>(map: ReadonlyMap<string, T>, name: string): T {
  const found = map.get(name)
  if (found === undefined) throw new Error(`No such thing as ${name}`)
  return found
}

function absent(map: ReadonlyMap<string, unknown>, name: string): void {
  if (map.has(name)) throw new Error(`${name}: File exists`)
}
