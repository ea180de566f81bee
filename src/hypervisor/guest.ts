import type { Guest, GuestInterface } from '../host/guest.ts'
import { bridgeName } from '../inventory/records/network.ts'
import { tapName } from '../inventory/records/port.ts'
import type { RecordSet } from '../inventory/records/records.ts'
import type { Server } from '../inventory/records/server.ts'

/** The instances that firstboot itself is to run as network namespaces. Pure. */
export function namespaceGuests(records: RecordSet): Guest[] {
  return [...records.server.values()]
    .filter((server) => server.hypervisor === 'namespace')
    .map((server) => ({ id: server.id, interfaces: interfacesOf(server, records) }))
}

/** Its ports that are up, as what it is to be plugged in by. */
export function interfacesOf(server: Server, records: RecordSet): GuestInterface[] {
  return server.portIds.flatMap((portId, index) => {
    const port = records.port.get(portId)
    const network = port && records.network.get(port.networkId)
    if (!port?.adminStateUp || !network) return []
    return {
      name: `eth${index}`,
      tap: tapName(port),
      bridge: bridgeName(network.id),
      mac: port.macAddress,
      mtu: network.mtu,
    }
  })
}
