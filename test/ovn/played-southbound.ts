import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runProgram } from '../../src/host/programs.ts'
import { createDatabase, type OvsdbServer, ovsdbServer } from '../ovsdb/ovsdb-server.ts'
import { schemaOf } from './cloud.ts'
import type { Guest } from './served-cloud.ts'

/** A schema of OVSDB, as ovsdb-tool(1) reads it. */
export interface Schema {
  version: string
  readonly tables: Record<string, { readonly columns: Record<string, unknown>; indexes?: unknown } | undefined>
}

/** A Southbound database in which the test plays ovn-northd and ovn-controller, so that its schema may be any. */
export interface PlayedSouthbound extends OvsdbServer {
  /** Operations of RFC 7047, all or none. */
  transact(...operations: readonly object[]): Promise<readonly { readonly uuid?: readonly [string, string] }[]>
  addChassis(name: string): Promise<string>
  addNetwork(id: string, cidr?: string): Promise<string>
  /** @param at  columns that say where it is: `chassis`, `requested_chassis` */
  addPort(guest: Guest, datapath: string, at: Readonly<Record<string, string>>): Promise<void>
  /** Gives the database another schema while it runs. */
  convert(change: (schema: Schema) => void): Promise<void>
}

/** @param change  what makes it another than the installed OVN's */
export async function playSouthbound(
  directory: string,
  name: string,
  change: (schema: Schema) => void = () => undefined,
): Promise<PlayedSouthbound> {
  const server = ovsdbServer(directory, createDatabase(directory, writeSchema(change), name), { name })
  await server.start()
  let keys = 0

  function writeSchema(how: (schema: Schema) => void): string {
    const schema = JSON.parse(readFileSync(schemaOf('sb'), 'utf8')) as Schema & { cksum?: string }
    delete schema.cksum
    how(schema)
    const file = join(directory, `${name}.ovsschema`)
    writeFileSync(file, JSON.stringify(schema))
    return file
  }
  const client = async (...args: readonly string[]) => (await runProgram('ovsdb-client', args)).stdout
  const map = (values: Readonly<Record<string, string>>) => ['map', Object.entries(values)]

  async function transact(...operations: readonly object[]) {
    const said = await client('transact', server.remote, JSON.stringify(['OVN_Southbound', ...operations]))
    const results = JSON.parse(said) as readonly ({ uuid?: [string, string]; error?: string } | null)[]
    const failed = results.find((result) => result?.error !== undefined)
    if (failed !== undefined) throw new Error(`the transaction failed: ${said}`)
    return results.map((result) => result ?? {})
  }
  async function insert(table: string, row: object, ...before: readonly object[]): Promise<string> {
    const results = await transact(...before, { op: 'insert', table, row })
    return results.at(-1)?.uuid?.[1] ?? ''
  }

  await insert('SB_Global', {})
  return {
    ...server,
    transact,
    addChassis: async (chassis) => {
      keys += 1
      const encap = { type: 'geneve', ip: `192.0.2.${keys}`, chassis_name: chassis }
      const encaps = ['named-uuid', 'encap']
      const uuid = await insert(
        'Chassis',
        { name: chassis, encaps },
        { op: 'insert', table: 'Encap', row: encap, 'uuid-name': 'encap' },
      )
      const tables = JSON.parse(await client('get-schema', server.remote, 'OVN_Southbound')) as Schema
      if (tables.tables['Chassis_Private']) await insert('Chassis_Private', { name: chassis, chassis: ['uuid', uuid] })
      return uuid
    },
    async addNetwork(id, cidr = '10.88.0.2/24') {
      keys += 1
      const external_ids = map({ name: `neutron-${id}`, name2: 'played' })
      const datapath = await insert('Datapath_Binding', { tunnel_key: keys, external_ids })
      const mac = `fa:16:3e:00:03:${keys.toString(16).padStart(2, '0')}`
      const ids = {
        'neutron:cidrs': cidr,
        'neutron:device_id': `ovnmeta-${id}`,
        'neutron:device_owner': 'network:distributed',
      }
      await insert('Port_Binding', {
        ...{ logical_port: `meta-${id}`, type: 'localport', datapath: ['uuid', datapath], tunnel_key: 1 },
        ...{ mac: `${mac} ${cidr.split('/')[0]}`, external_ids: map(ids) },
      })
      return datapath
    },
    async addPort({ name: port, mac, address }, datapath, at) {
      keys += 1
      const ids = {
        'neutron:cidrs': `${address}/24`,
        'neutron:device_id': `instance-${port}`,
        'neutron:project_id': `project-${port}`,
        'neutron:device_owner': 'compute:nova',
      }
      const places = Object.entries(at).map(([column, uuid]) => [column, ['uuid', uuid]])
      await insert('Port_Binding', {
        ...{ logical_port: port, datapath: ['uuid', datapath], tunnel_key: keys + 1, mac: `${mac} ${address}` },
        ...{ external_ids: map(ids), ...Object.fromEntries(places) },
      })
    },
    convert: async (how) => {
      await client('convert', server.remote, writeSchema(how))
    },
  }
}
