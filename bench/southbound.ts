import {
  insert,
  integer,
  map,
  mutate,
  type OvsdbClient,
  openOvsdb,
  optional,
  type RowOf,
  reference,
  select,
  set,
  table,
  text,
  type Uuid,
} from '../src/ovsdb/ovsdb.ts'

// The rest of a cloud, as northd and ovn-controllers would have filled the Southbound: networks of 50 ports and a localport each, on
// a chassis that is nobody's.

export const PORTS_EACH = 50
export const CHANGES_A_SECOND = 1_000
/** Far from those that northd gives. */
const FIRST_KEY = 1_000_000

const ENCAP = table('Encap', { type: text, ip: text, chassis_name: text })
const NEW_CHASSIS = table('Chassis', { name: text, encaps: set(reference) })
const DATAPATH = table('Datapath_Binding', { tunnel_key: integer, external_ids: map(text, text) })
const PORT = table('Port_Binding', {
  logical_port: text,
  type: text,
  tunnel_key: integer,
  datapath: reference,
  chassis: optional(reference),
  mac: set(text),
  external_ids: map(text, text),
})

/** Who writes; it holds no rows itself. */
export async function openWriter(remotes: string): Promise<OvsdbClient> {
  const writer = openOvsdb({ remotes, database: 'OVN_Southbound', tables: [PORT] })
  void writer.setCondition(PORT, false)
  await writer.synchronized()
  return writer
}

/** All that there are; not for a large cloud. */
export async function portsOf(writer: OvsdbClient): Promise<readonly RowOf<typeof PORT>[]> {
  const [rows] = await writer.transact(select(PORT, []))
  return rows
}

/** northd must not run any more: it would take them away. @returns the ports of so many networks */
export async function fillSouthbound(writer: OvsdbClient, networks: number): Promise<readonly Uuid[]> {
  const [, chassis] = await writer.transact(
    insert(ENCAP, { type: 'geneve', ip: '192.0.2.200', chassis_name: 'elsewhere' }, { name: 'encap' }),
    insert(NEW_CHASSIS, { name: 'elsewhere', encaps: [{ namedUuid: 'encap' }] }),
  )
  const ports: Uuid[] = []
  for (let number = 1; number <= networks; number += 1) ports.push(...(await addNetwork(writer, number, chassis)))
  return ports
}

async function addNetwork(writer: OvsdbClient, number: number, chassis: Uuid): Promise<readonly Uuid[]> {
  const id = `${number.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
  const external_ids = new Map([['name', `neutron-${id}`]])
  const [datapath] = await writer.transact(insert(DATAPATH, { tunnel_key: FIRST_KEY + number, external_ids }))
  const ids = (device: string, owner: string, address: string) =>
    new Map([
      ['neutron:cidrs', `${address}/24`],
      ['neutron:device_id', device],
      ['neutron:device_owner', owner],
      ['neutron:network_name', `neutron-${id}`],
      ['neutron:port_name', ''],
      ['neutron:project_id', 'ac25d9f8bd1640128f7c24b5e2a3f0aa'],
      ['neutron:revision_number', '4'],
      ['neutron:security_group_ids', ''],
    ])
  const guests = Array.from({ length: PORTS_EACH }, (_, i) => {
    const [name, address] = [`elsewhere-${number}-${i}`, `10.0.0.${i + 10}`]
    return insert(PORT, {
      logical_port: name,
      type: '',
      tunnel_key: i + 2,
      datapath,
      chassis,
      mac: [`fa:16:3e:00:00:${(i + 16).toString(16)} ${address}`],
      external_ids: ids(`instance-${number}-${i}`, 'compute:nova', address),
    })
  })
  const localport = insert(PORT, {
    logical_port: `meta-${number}`,
    type: 'localport',
    tunnel_key: 1,
    datapath,
    mac: ['fa:16:3e:00:01:00 10.0.0.2'],
    external_ids: ids(`ovnmeta-${id}`, 'network:distributed', '10.0.0.2'),
  })
  return writer.transact(localport, ...guests)
}

/** Changes so many ports a second, evenly, until it is ended. */
export function churn(writer: OvsdbClient, ports: readonly Uuid[], perSecond: number): () => Promise<number> {
  const PERIOD_MILLISECONDS = 50
  const batch = Math.round((perSecond * PERIOD_MILLISECONDS) / 1_000)
  let [next, done] = [0, 0]
  let last: Promise<unknown> = Promise.resolve()
  const timer = setInterval(() => {
    const chosen = Array.from({ length: batch }, (_, i) => ports[(next + i) % ports.length] as Uuid)
    next += batch
    const revision = new Map([['neutron:revision_number', String(next)]])
    const changes = chosen.flatMap((uuid) => [
      mutate(
        PORT,
        [['_uuid', '==', uuid]],
        [
          ['external_ids', 'delete', ['neutron:revision_number']],
          ['external_ids', 'insert', revision],
        ],
      ),
    ])
    last = last
      .then(() => writer.transact(...changes))
      .then(() => {
        done += batch
      })
  }, PERIOD_MILLISECONDS)
  return async () => {
    clearInterval(timer)
    await last
    return done
  }
}
