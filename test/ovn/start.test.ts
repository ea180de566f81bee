import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { proxyOptions } from '../../src/config/options/datapath.ts'
import { ovnOptions } from '../../src/config/options/ovn.ts'
import { readOptions } from '../../src/config/read.ts'
import { openDatabases } from '../../src/daemons/ovn/databases.ts'
import { CHASSIS_DATABASES, serveChassis } from '../../src/daemons/ovn/serve-chassis.ts'
import { openStateDirectory } from '../../src/daemons/state-directory.ts'
import type { NamespaceSockets } from '../../src/host/listeners.ts'
import { silentLog } from '../../src/observe/log.ts'
import { noMetrics } from '../../src/observe/metrics/metrics.ts'
import { insert, map, openOvsdb, table, text } from '../../src/ovsdb/ovsdb.ts'
import { createDatabase, endServers, ovsdbServer, temporaryDirectory } from '../ovsdb/ovsdb-server.ts'
import { standaloneSouthbound } from './cloud.ts'

const SWITCH = table('Open_vSwitch', { external_ids: map(text, text) })

describe('the start of an agent', () => {
  const directory = temporaryDirectory()
  const schema = '/usr/share/openvswitch/vswitch.ovsschema'
  const local = ovsdbServer(directory, createDatabase(directory, schema, 'conf'), { name: 'conf' })

  before(async () => {
    const [southbound] = await Promise.all([standaloneSouthbound(directory), local.start()])
    const client = openOvsdb({ remotes: local.remote, database: 'Open_vSwitch', tables: [SWITCH] })
    await client.synchronized()
    const external_ids = new Map([
      ['system-id', 'chassis-1'],
      ['ovn-remote', southbound.remote],
    ])
    await client.transact(insert(SWITCH, { external_ids }))
    await client.close()
  })
  after(endServers)

  it('reads the Southbound while who keeps sockets is still being started, and lets go of it when nobody can be', async () => {
    const sockets = Promise.withResolvers<NamespaceSockets>()
    const { values } = readOptions({ ...ovnOptions, ...proxyOptions }, [`--ovsdb-connection=${local.remote}`], {})
    const chassis = serveChassis({
      state: await openStateDirectory(`${directory}/state`),
      values,
      sockets: sockets.promise,
      agentSocket: `${directory}/agent`,
      databases: openDatabases(CHASSIS_DATABASES, silentLog),
      metrics: noMetrics,
      log: silentLog,
    })
    const { southbound } = (await chassis.connected).connection
    await southbound.synchronized()
    assert.equal(chassis.datapath, undefined)
    sockets.reject(new Error('nobody keeps them'))
    await assert.rejects(chassis.opened, /nobody keeps them/)
    assert.equal(southbound.status.state, 'closed')
    await chassis.close()
  })
})
