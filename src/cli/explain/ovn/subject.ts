import { UsageError } from '../../../config/read.ts'
import { parseIpAddress, parseMacAddress } from '../../../inventory/records/address.ts'
import { fixedAddresses, isGuestPort, networkIdOf, ownMacs } from '../../../metadata-agent/ovn/southbound.ts'
import type { Clause, RowOf, Rows } from '../../../ovsdb/ovsdb.ts'
import { DATAPATH_BINDING, PORT_BINDING } from './tables.ts'

export type PortRow = RowOf<typeof PORT_BINDING>

/** Whom a person means in a cloud whose inventory is not ours. */
export interface Asked {
  /** A port's id, an address, a MAC address, or the id of an instance. */
  readonly wanted: string
  /** The id of the network that it is on, or empty text. */
  readonly network: string
}

/** Prefixes of addresses as neutron:cidrs has them: a row is found by the whole of its text only. */
const PREFIXES = { 4: Array.from({ length: 25 }, (_, i) => 8 + i), 6: [48, 56, 64, 96, 112, 120, 126, 128] } as const

/**
 * Clauses that find the port wherever in the cloud it is. Pure. An address or MAC address among several of a port has none:
 * it is found on the networks of this chassis, or on the one that was named.
 */
export function subjectClauses({ wanted }: Asked): readonly Clause<typeof PORT_BINDING.columns>[] {
  const address = parseIpAddress(wanted)
  if (address !== undefined)
    return PREFIXES[address.includes(':') ? 6 : 4].map(
      (prefix) => ['external_ids', 'includes', new Map([['neutron:cidrs', `${address}/${prefix}`]])] as const,
    )
  if (parseMacAddress(wanted) !== undefined) return []
  return [
    ['logical_port', '==', wanted],
    ['external_ids', 'includes', new Map([['neutron:device_id', wanted]])],
  ]
}

/** Clauses that find the network that was named. Pure. */
export function networkClauses({ network }: Asked): readonly Clause<typeof DATAPATH_BINDING.columns>[] {
  return network === ''
    ? []
    : [
        ['external_ids', 'includes', new Map([['name', `neutron-${network}`]])],
        ['external_ids', 'includes', new Map([['name2', network]])],
      ]
}

/** The datapaths that the named network can be. */
export function namedDatapaths(rows: Rows, { network }: Asked) {
  return Array.from(rows.all(DATAPATH_BINDING))
    .filter((row) => network !== '' && (networkIdOf(row) === network || row.external_ids.get('name2') === network))
    .map(({ _uuid }) => _uuid)
}

/** The guests' ports that are meant, of those that are known. */
export function candidates(rows: Rows, asked: Asked): readonly PortRow[] {
  const { wanted, network } = asked
  const [address, mac] = [parseIpAddress(wanted), parseMacAddress(wanted)]
  const named = namedDatapaths(rows, asked)
  return Array.from(rows.all(PORT_BINDING))
    .filter((row) => isGuestPort(row) && (network === '' || named.includes(row.datapath)))
    .filter((row) => {
      if (address !== undefined) return fixedAddresses(row).includes(address)
      if (mac !== undefined) return ownMacs(row).includes(mac)
      return row.logical_port === wanted || row.external_ids.get('neutron:device_id') === wanted
    })
}

/** The one that is meant. An instance with several ports is explained by the first. @throws UsageError */
export function chosen(rows: Rows, asked: Asked): PortRow {
  const { wanted, network } = asked
  const found = candidates(rows, asked).toSorted((a, b) => (a.logical_port < b.logical_port ? -1 : 1))
  const [port, second] = found
  if (port === undefined)
    throw new UsageError(
      `the Southbound has no port ${wanted}${network === '' ? '' : ` on network ${network}`}: name a port by its id, or an instance by its id; an address or a MAC address of a guest that is not on this chassis needs --network`,
    )
  const isInstance = found.every(({ external_ids }) => external_ids.get('neutron:device_id') === wanted)
  // Two ports of one network that have one address are a fault, and the explanation names it.
  if (second === undefined || isInstance || found.every(({ datapath }) => datapath === port.datapath)) return port
  const choices = found.map((row) => `${row.logical_port} (network ${networkOf(rows, row)})`)
  throw new UsageError(`${found.length} ports have ${wanted}; name one, or its --network: ${choices.join(', ')}`)
}

function networkOf(rows: Rows, { datapath }: PortRow): string {
  const row = rows.get(DATAPATH_BINDING, datapath)
  return (row && networkIdOf(row)) ?? datapath
}
