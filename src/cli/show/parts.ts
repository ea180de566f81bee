import { listColumns } from '../../inventory/file/listing.ts'
import { toWire, type Wire } from '../../inventory/file/wire.ts'
import type { RecordSet, Records } from '../../inventory/records/records.ts'
import { table } from '../terminal.ts'

/** What belongs to the thing shown, and stands below it: the ports of a server, the subnets of a network. */
export interface Parts {
  /** The field it is in. */
  readonly field: string
  /** All of each. */
  readonly wires: readonly Wire[]
  /** What tells them apart, as a table. */
  readonly lines: readonly string[]
}

/** Said of the whole already. */
const SAID: Readonly<Record<'port' | 'subnet', readonly string[]>> = { port: ['belongs to'], subnet: ['network'] }

export function partsOf<N extends 'port' | 'subnet'>(
  field: string,
  noun: N,
  parts: readonly Records[N][],
  records: RecordSet,
): Parts {
  const columns = listColumns[noun]
    .map(({ title, cell }) => ({ title, cells: parts.map((part) => cell(part, records)) }))
    .filter(({ title, cells }) => !SAID[noun].includes(title) && cells.some((cell) => cell !== ''))
  const rows = parts.map((_, i) => columns.map(({ cells }) => cells[i] ?? ''))
  return {
    field,
    wires: parts.map((part) => toWire(noun, part)),
    lines: rows.length === 0 ? [] : table([columns.map(({ title }) => title), ...rows]),
  }
}
