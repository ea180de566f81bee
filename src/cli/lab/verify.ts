import type { RecordSet } from '../../inventory/records/records.ts'
import type { Server } from '../../inventory/records/server.ts'

/** One thing a guest must have been told, and whether it was told that. */
export interface Finding {
  readonly what: 'identity' | 'hostname' | 'key' | 'network' | 'user data'
  readonly isRight: boolean
  /** What it read, or what it should have. */
  readonly detail: string
}

/** Reads a file that a guest has left; undefined when there is none. */
export type ReadLeft = (name: string) => Buffer | undefined

/** Compares what a guest has kept of its first boot with its record. Pure but for `read`. */
export function verifyGuest(server: Server, records: RecordSet, read: ReadLeft, dhcpDomain: string): Finding[] {
  const meta = jsonOf(read('meta_data.json'))
  const hostname = dhcpDomain === '' ? server.hostname : `${server.hostname}.${dhcpDomain}`
  const macs = server.portIds.map((id) => records.port.get(id)?.macAddress ?? '')
  const links = jsonOf(read('network_data.json'))['links']
  const told = Array.isArray(links)
    ? links.map((link: Record<string, unknown> | null) => String(link?.['ethernet_mac_address']))
    : []
  const userData = server.userData === null ? undefined : Buffer.from(server.userData, 'base64')
  return [
    finding('identity', String(meta['uuid'] ?? 'nothing'), server.id),
    finding('hostname', text(read('hostname')), hostname),
    finding('key', text(read('authorized_keys')), server.keyData?.trim() ?? ''),
    finding('network', told.join(' '), macs.join(' ')),
    finding('user data', digest(read('user_data')), digest(userData)),
  ]
}

function finding(what: Finding['what'], told: string, wanted: string): Finding {
  const isRight = told === wanted
  return { what, isRight, detail: isRight ? told : `${told || 'nothing'} instead of ${wanted || 'nothing'}` }
}

function text(bytes: Buffer | undefined): string {
  return bytes?.toString().trim() ?? ''
}

function digest(bytes: Buffer | undefined): string {
  return bytes === undefined ? '' : `${bytes.length} bytes ${bytes.toString('base64').slice(0, 64_000)}`
}

function jsonOf(bytes: Buffer | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes?.toString() ?? '')
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
