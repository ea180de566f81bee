import type { IpAddress } from '../inventory/records/address.ts'
import type { NetworkId } from '../inventory/records/ids.ts'
import type { Port } from '../inventory/records/port.ts'
import type { Inventory } from '../inventory/store.ts'

/** The ways a caller is looked for who is no signed instance id. */
export interface PortIndex {
  /** The ports of all networks that have this fixed IP, whatever they belong to. */
  withAddress(address: IpAddress): readonly Port[]
  /** The networks a metadata provider asks for. */
  networksOf(provider: string): ReadonlySet<NetworkId>
}

interface Built {
  readonly sequence: number
  readonly ports: ReadonlyMap<IpAddress, readonly Port[]>
  readonly networks: ReadonlyMap<string, ReadonlySet<NetworkId>>
}

const NONE: ReadonlySet<NetworkId> = new Set()

/** Built on first use, and again when the inventory has changed: a request costs the same for any number of ports. */
export function portIndex(inventory: Inventory): PortIndex {
  let built: Built | undefined
  const current = (): Built => {
    if (built?.sequence !== inventory.sequence) {
      built = { sequence: inventory.sequence, ports: byAddress(inventory), networks: byProvider(inventory) }
    }
    return built
  }
  return {
    withAddress: (address) => current().ports.get(address) ?? [],
    networksOf: (provider) => current().networks.get(provider) ?? NONE,
  }
}

function byAddress({ records }: Inventory): Built['ports'] {
  const ports = new Map<IpAddress, Port[]>()
  for (const port of records.port.values()) {
    for (const { ipAddress } of port.fixedIps) {
      const same = ports.get(ipAddress)
      if (same) same.push(port)
      else ports.set(ipAddress, [port])
    }
  }
  return ports
}

function byProvider({ records }: Inventory): Built['networks'] {
  const networks = new Map<string, Set<NetworkId>>()
  for (const { advancedServiceProviders, networkId } of records.subnet.values()) {
    for (const provider of advancedServiceProviders) {
      const served = networks.get(provider)
      if (served) served.add(networkId)
      else networks.set(provider, new Set([networkId]))
    }
  }
  return networks
}
