import {
  insert,
  integer,
  map,
  mutate,
  type OvsdbClient,
  openOvsdb,
  optional,
  reference,
  set,
  table,
  text,
  type Uuid,
} from '../src/ovsdb/ovsdb.ts'

// The Southbound of a cloud, as northd and ovn-controllers would have filled it: networks of 50 ports and a localport each. One of
// them is on our chassis; the others are elsewhere.

export const CHASSIS = 'chassis-1'
export const NETWORK = '00000000-0000-4000-8000-000000000000'
export const PORTS_EACH = 50

const ENCAP = table('Encap', { type: text, ip: text, chassis_name: text })
const NEW_CHASSIS = table('Chassis', { name: text, encaps: set(reference) })
const NEW_PRIVATE = table('Chassis_Private', { name: text })
const GLOBAL = table('SB_Global', { nb_cfg: integer })
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

/** @param foreign  networks that have no guest here @returns their ports */
export async function fillSouthbound(writer: OvsdbClient, foreign: number): Promise<readonly Uuid[]> {
  const ours = await addChassis(writer, CHASSIS, 1)
  const theirs = await addChassis(writer, 'chassis-2', 2)
  await writer.transact(insert(NEW_PRIVATE, { name: CHASSIS }), insert(GLOBAL, { nb_cfg: 1 }))
  await addNetwork(writer, 0, ours)
  const ports: Uuid[] = []
  for (let number = 1; number <= foreign; number += 1) ports.push(...(await addNetwork(writer, number, theirs)))
  return ports
}

async function addChassis(writer: OvsdbClient, name: string, number: number): Promise<Uuid> {
  const [, uuid] = await writer.transact(
    insert(ENCAP, { type: 'geneve', ip: `192.0.2.${number}`, chassis_name: name }, { name: 'encap' }),
    insert(NEW_CHASSIS, { name, encaps: [{ namedUuid: 'encap' }] }),
  )
  return uuid
}

async function addNetwork(writer: OvsdbClient, number: number, chassis: Uuid): Promise<readonly Uuid[]> {
  const id = `${number.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
  const external_ids = new Map([['name', `neutron-${id}`]])
  const [datapath] = await writer.transact(insert(DATAPATH, { tunnel_key: number + 1, external_ids }))
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
    const [name, address] = [`port-${number}-${i}`, `10.0.0.${i + 10}`]
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
  const [, ...uuids] = await writer.transact(localport, ...guests)
  return uuids
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
