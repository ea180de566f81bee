import { type IpAddress, type MacAddress, toNumber } from './records/address.ts'
import type { FloatingIp } from './records/floating-ip.ts'
import type { FormerInterface } from './records/former-interface.ts'
import type { NetworkId, PortId, RouterId, SubnetId } from './records/ids.ts'
import { DHCP_PORT, type Port, ROUTER_INTERFACE_OWNERS } from './records/port.ts'
import type { Change } from './records/records.ts'

/** The ways ports and floating IPs are looked for, each one step whatever the size of the inventory. */
export class CatalogIndex {
  readonly #byAddress = new Map<string, Port>()
  readonly #byDevice = new Map<string, Map<PortId, Port>>()
  readonly #dhcpByNetwork = new Map<NetworkId, Map<PortId, Port>>()
  readonly #formerByRouter = new Map<RouterId, Map<PortId, FormerInterface>>()
  readonly #floatingByPort = new Map<PortId, Map<string, FloatingIp>>()

  /** Moves a record's entries. @param before  the record as it was, undefined when it is new */
  update(change: Change, before: unknown): void {
    if (change.noun === 'port') {
      if (before !== undefined) this.#removePort(before as Port)
      if (change.op === 'put') this.#addPort(change.record)
    }
    if (change.noun === 'former_interface') {
      const old = before as FormerInterface | undefined
      if (old !== undefined) removeFrom(this.#formerByRouter, old.routerId, old.id)
      if (change.op === 'put') addTo(this.#formerByRouter, change.record.routerId, change.record.id, change.record)
    }
    if (change.noun === 'floating_ip') {
      const old = before as FloatingIp | undefined
      if (old?.portId) removeFrom(this.#floatingByPort, old.portId, old.id)
      if (change.op === 'put' && change.record.portId !== null) {
        addTo(this.#floatingByPort, change.record.portId, change.record.id, change.record)
      }
    }
  }

  portOn(network: NetworkId, client: IpAddress | MacAddress): Port | undefined {
    return this.#byAddress.get(place(network, client))
  }

  /** The subnets a router has an interface in, with their networks. */
  routerSubnets(router: RouterId): ReadonlyMap<SubnetId, NetworkId> {
    const interfaces = [...(this.#byDevice.get(router)?.values() ?? [])].filter(({ deviceOwner }) =>
      ROUTER_INTERFACE_OWNERS.has(deviceOwner),
    )
    return new Map(
      interfaces.flatMap((port) => port.fixedIps.map(({ subnetId }) => [subnetId, port.networkId] as const)),
    )
  }

  /** What a router had before, and may be asked through yet. */
  formerInterfaces(router: RouterId): readonly FormerInterface[] {
    return [...(this.#formerByRouter.get(router)?.values() ?? [])]
  }

  dhcpPorts(network: NetworkId): readonly Port[] {
    return [...(this.#dhcpByNetwork.get(network)?.values() ?? [])].toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  floatingIps(port: PortId): readonly FloatingIp[] {
    const floatingIps = [...(this.#floatingByPort.get(port)?.values() ?? [])]
    return floatingIps.toSorted((a, b) => (toNumber(a.address) < toNumber(b.address) ? -1 : 1))
  }

  #addPort(port: Port): void {
    for (const key of placesOf(port)) this.#byAddress.set(key, port)
    if (port.deviceId !== '') addTo(this.#byDevice, port.deviceId, port.id, port)
    if (port.deviceOwner === DHCP_PORT) addTo(this.#dhcpByNetwork, port.networkId, port.id, port)
  }

  /** An entry that another port has taken over meanwhile (two ports that swap addresses) is not this port's any more. */
  #removePort(port: Port): void {
    for (const key of placesOf(port)) {
      if (this.#byAddress.get(key)?.id === port.id) this.#byAddress.delete(key)
    }
    removeFrom(this.#byDevice, port.deviceId, port.id)
    removeFrom(this.#dhcpByNetwork, port.networkId, port.id)
  }
}

function placesOf(port: Port): readonly string[] {
  return [port.macAddress, ...port.fixedIps.map(({ ipAddress }) => ipAddress)].map((client) =>
    place(port.networkId, client),
  )
}

/** Addresses and MACs share one map: no text is both. */
function place(network: NetworkId, client: IpAddress | MacAddress): string {
  return `${network} ${client}`
}

function addTo<K, Id, V>(index: Map<K, Map<Id, V>>, key: K, id: Id, value: V): void {
  const known = index.get(key)
  if (known === undefined) index.set(key, new Map([[id, value]]))
  else known.set(id, value)
}

function removeFrom<K, Id, V>(index: Map<K, Map<Id, V>>, key: K, id: Id): void {
  const known = index.get(key)
  known?.delete(id)
  if (known?.size === 0) index.delete(key)
}
