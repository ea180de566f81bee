import type { RecordSet } from '../../inventory/records/records.ts'
import type { Server } from '../../inventory/records/server.ts'

/** What a guest must have been told, and what it asks to be told it. */
const ASKED = {
  identity: '/openstack/2018-08-27/meta_data.json',
  hostname: '/latest/meta-data/hostname',
  key: '/latest/meta-data/public-keys/',
  network: '/openstack/2018-08-27/network_data.json',
  'user data': '/openstack/2018-08-27/user_data',
}

/** One thing a guest must have been told, and whether it was told that. */
export interface Finding {
  readonly what: keyof typeof ASKED
  readonly verdict: 'right' | 'WRONG' | 'has not asked'
  /** What it read, or what it should have. */
  readonly detail: string
}

/** Reads a file that a guest has left; undefined when there is none. */
export type ReadLeft = (name: string) => Buffer | undefined

/**
 * Compares what a guest has kept of its first boot with its record. Pure but for `read`.
 *
 * @param asked  the targets of the guest's requests: what it keeps nothing of may have been answered with nothing
 */
export function verifyGuest(
  server: Server,
  records: RecordSet,
  read: ReadLeft,
  asked: ReadonlySet<string>,
  dhcpDomain: string,
): Finding[] {
  const finding = (what: Finding['what'], told: string, wanted: string): Finding => {
    if (!asked.has(ASKED[what])) return { what, verdict: 'has not asked', detail: 'has not asked' }
    if (told === wanted) return { what, verdict: 'right', detail: told }
    return { what, verdict: 'WRONG', detail: `${told || 'nothing'} instead of ${wanted || 'nothing'}` }
  }
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
