import type { FixedIp, Port } from '../records/port.ts'
import type { Noun, Records } from '../records/records.ts'
import { columnsOf, type Row, type Storage } from './tables.ts'

type Stored = string | number | null

/** One property's way into a column and back. Twins: what `write` made, `read` gives back. */
const codecs: Record<Storage, { write(value: unknown): Stored; read(stored: Stored): unknown }> = {
  value: { write: (value) => value as Stored, read: (stored) => stored },
  flag: { write: (value) => (value === true ? 1 : 0), read: (stored) => stored === 1 },
  json: { write: (value) => JSON.stringify(value), read: (stored) => JSON.parse(String(stored)) },
  'own table': { write: () => null, read: () => undefined },
}

/** The record as a row of its noun's table. */
export function toRow<N extends Noun>(noun: N, record: Records[N]): Row {
  const values = record as unknown as Record<string, unknown>
  return Object.fromEntries(
    columnsOf(noun).map(({ property, column, storage }) => [column, codecs[storage].write(values[property])]),
  )
}

/** The record a row of its noun's table stands for. @param fixedIps  those of a port */
export function toRecord<N extends Noun>(noun: N, row: Row, fixedIps: readonly FixedIp[] = []): Records[N] {
  const record: Record<string, unknown> = {}
  for (const { property, column, storage } of columnsOf(noun)) {
    record[property] = codecs[storage].read(row[column] ?? null)
  }
  if (noun === 'port') record['fixedIps'] = fixedIps
  return record as unknown as Records[N]
}

/** The fixed IPs of a port as rows of `fixed_ips`, where the network stands too, so that (network, address) is unique. */
export function toFixedIpRows(port: Port): Row[] {
  return port.fixedIps.map(({ subnetId, ipAddress }, position) => ({
    port_id: port.id,
    position,
    network_id: port.networkId,
    subnet_id: subnetId,
    ip_address: ipAddress,
  }))
}

/** Fixed IPs by port. @param rows  in order of position */
export function groupFixedIps(rows: readonly Row[]): Map<string, FixedIp[]> {
  const byPort = new Map<string, FixedIp[]>()
  for (const { port_id, subnet_id, ip_address } of rows) {
    const known = byPort.get(String(port_id))
    const fixedIp = { subnetId: subnet_id, ipAddress: ip_address } as unknown as FixedIp
    if (known === undefined) byPort.set(String(port_id), [fixedIp])
    else known.push(fixedIp)
  }
  return byPort
}
