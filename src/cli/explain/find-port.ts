import { UsageError } from '../../config/read.ts'
import { parseIpAddress, parseMacAddress } from '../../inventory/records/address.ts'
import type { Port } from '../../inventory/records/port.ts'
import type { RecordSet } from '../../inventory/records/records.ts'
import type { Server } from '../../inventory/records/server.ts'
import { findServer } from '../find-server.ts'

/** Whose way is to be explained. */
export interface Wanted {
  readonly server: Server | undefined
  /** undefined: the server has none. */
  readonly port: Port | undefined
  /** As a person would call it. */
  readonly name: string
  /** What tells it from other ports of the server: its first address. */
  readonly at: string
}

/** What a person means by a server's name or id, a port's id, an address, a floating IP or a MAC address. A server is meant with all its
 *  ports, or as one that has none. @returns at least one @throws UsageError */
export function findPorts(records: RecordSet, wanted: string): readonly Wanted[] {
  const byId = records.port.get(wanted.toLowerCase())
  if (byId !== undefined) return [ofPort(records, byId)]
  const address = parseIpAddress(wanted)
  const mac = parseMacAddress(wanted)
  if (address === undefined && mac === undefined)
    return ofServer(records, findServer(records, wanted, ', nor a port with that id or address'))
  const floating = [...records.floating_ip.values()].filter((each) => each.address === address)
  const behind = new Set(floating.map(({ portId }) => portId))
  const found = [...records.port.values()].filter(
    ({ id, macAddress, fixedIps }) =>
      macAddress === mac || behind.has(id) || fixedIps.some(({ ipAddress }) => ipAddress === address),
  )
  const [port, second] = found
  if (port === undefined)
    throw new UsageError(
      floating.length > 0
        ? `${wanted} is a floating IP that stands for no port: nobody is behind it`
        : `no port and no floating IP has ${wanted}; see firstboot list ports`,
    )
  if (second === undefined) return [ofPort(records, port)]
  const choices = found.map(
    ({ id, networkId }) => `${id} (network ${records.network.get(networkId)?.name ?? networkId})`,
  )
  throw new UsageError(`${found.length} ports have ${wanted}; name one: ${choices.join(', ')}`)
}

function ofPort(records: RecordSet, port: Port): Wanted {
  const server = records.server.get(port.deviceId)
  return { server, port, name: server?.name || port.name || port.id, at: placeOf(port) }
}

function placeOf({ id, fixedIps: [first] }: Port): string {
  return first?.ipAddress ?? `port ${id}`
}

function ofServer(records: RecordSet, server: Server): readonly Wanted[] {
  const ports = server.portIds.map((id) => records.port.get(id)).filter((each) => each !== undefined)
  if (ports.length === 0) return [{ server, port: undefined, name: server.name, at: '-' }]
  return ports.map((port) => {
    const at = placeOf(port)
    return { server, port, name: ports.length === 1 ? server.name : `${server.name} at ${at}`, at }
  })
}
