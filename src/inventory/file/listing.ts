import { bridgeName } from '../records/network.ts'
import type { Port } from '../records/port.ts'
import { NOUNS, type Noun, type RecordSet, type Records } from '../records/records.ts'
import { nameOf } from './plan/directory.ts'

/** One column of `firstboot list NOUN`. */
export interface Column<N extends Noun> {
  readonly title: string
  /** @param records  the inventory, for the names of what is referred to */
  cell(record: Records[N], records: RecordSet): string
}

const id = { title: 'id', cell: (record: { readonly id: string }) => record.id }
const name = { title: 'name', cell: (record: { readonly name: string }) => record.name }
const project = {
  title: 'project',
  cell: ({ projectId }: { readonly projectId: string }, records: RecordSet) => called('project', projectId, records),
}
const network = {
  title: 'network',
  cell: ({ networkId }: { readonly networkId: string }, records: RecordSet) => called('network', networkId, records),
}

/** What a table shows of each noun. `--json` shows everything (`wire.ts`). */
export const listColumns: { readonly [N in Noun]: readonly Column<N>[] } = {
  project: [id, name],
  keypair: [name, project, { title: 'type', cell: ({ type }) => type }],
  flavor: [
    id,
    name,
    { title: 'vcpus', cell: ({ vcpus }) => String(vcpus) },
    { title: 'ram MiB', cell: ({ ramMib }) => String(ramMib) },
    { title: 'disk GiB', cell: ({ diskGib }) => String(diskGib) },
  ],
  image: [id, name],
  security_group: [id, name, project],
  network: [
    id,
    name,
    project,
    { title: 'bridge', cell: (record) => bridgeName(record.id) },
    { title: 'mtu', cell: ({ mtu }) => String(mtu) },
    { title: 'external', cell: ({ external }) => (external ? 'yes' : 'no') },
  ],
  subnet: [
    id,
    name,
    network,
    { title: 'cidr', cell: ({ cidr }) => cidr },
    { title: 'gateway', cell: ({ gatewayIp }) => gatewayIp ?? '' },
    { title: 'dhcp', cell: ({ enableDhcp }) => (enableDhcp ? 'yes' : 'no') },
  ],
  router: [id, name, project, { title: 'state', cell: ({ adminStateUp }) => (adminStateUp ? 'up' : 'down') }],
  port: [
    id,
    name,
    network,
    { title: 'mac', cell: ({ macAddress }) => macAddress },
    { title: 'fixed IPs', cell: ({ fixedIps }) => fixedIps.map(({ ipAddress }) => ipAddress).join(', ') },
    { title: 'belongs to', cell: ownerOf },
  ],
  floating_ip: [
    id,
    { title: 'address', cell: ({ address }) => address },
    { title: 'fixed IP', cell: ({ fixedIpAddress }) => fixedIpAddress ?? '' },
    { title: 'port', cell: ({ portId }) => portId ?? '' },
  ],
  server: [
    id,
    name,
    project,
    {
      title: 'addresses',
      cell: ({ portIds }, records) =>
        portIds
          .map((port) => records.port.get(port))
          .filter((port) => port !== undefined)
          .map(
            (port) =>
              `${called('network', port.networkId, records)}=${port.fixedIps.map(({ ipAddress }) => ipAddress).join(',')}`,
          )
          .join(' '),
    },
    { title: 'flavor', cell: ({ flavorId }, records) => called('flavor', flavorId, records) },
    { title: 'hypervisor', cell: ({ hypervisor }) => hypervisor },
  ],
  former_interface: [
    id,
    network,
    { title: 'router', cell: ({ routerId }) => routerId },
    { title: 'fixed IPs', cell: ({ fixedIps }) => fixedIps.map(({ ipAddress }) => ipAddress).join(', ') },
    { title: 'since', cell: ({ detachedAt }) => new Date(detachedAt * 1_000).toISOString() },
  ],
}

/** A table of all records of a noun, sorted by name: the titles, then one row for each record. */
export function listTable<N extends Noun>(noun: N, records: RecordSet): readonly (readonly string[])[] {
  const columns = listColumns[noun]
  const sorted = [...(records[noun] as ReadonlyMap<string, Records[N]>).values()].toSorted((a, b) =>
    nameOf(noun, a) === nameOf(noun, b) ? compare(a.id, b.id) : compare(nameOf(noun, a), nameOf(noun, b)),
  )
  return [
    columns.map(({ title }) => title),
    ...sorted.map((record) => columns.map(({ cell }) => cell(record, records))),
  ]
}

/** The noun a user means: `server`, `servers`, `floating-ip`, `security_groups`, ... */
export function parseNoun(text: string): Noun | undefined {
  const wanted = text.toLowerCase().replaceAll('-', '_')
  return NOUNS.find((noun) => wanted === noun || wanted === `${noun}s`)
}

/** The records with this id or name; several when a name is used in several projects. */
export function findRecords<N extends Noun>(noun: N, reference: string, records: RecordSet): readonly Records[N][] {
  const byId = records[noun] as ReadonlyMap<string, Records[N]>
  const exact = byId.get(reference) ?? byId.get(reference.toLowerCase())
  return exact === undefined ? [...byId.values()].filter((record) => nameOf(noun, record) === reference) : [exact]
}

function called(noun: 'project' | 'network' | 'flavor', id: string, records: RecordSet): string {
  return records[noun].get(id)?.name || id
}

/** `server web-1`, or what the port says of its owner. */
function ownerOf({ deviceId, deviceOwner }: Port, { server, router }: RecordSet): string {
  const [kind, owner] = server.has(deviceId) ? ['server', server.get(deviceId)] : ['router', router.get(deviceId)]
  return owner === undefined ? deviceOwner : `${kind} ${owner.name}`
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
