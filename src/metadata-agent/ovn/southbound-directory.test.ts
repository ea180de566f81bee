import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NotReady } from '../../http/errors.ts'
import type { IpAddress } from '../../inventory/records/address.ts'
import type { NetworkId, RouterId } from '../../inventory/records/ids.ts'
import type { AnyTable, OvsdbClient, Status, Uuid } from '../../ovsdb/ovsdb.ts'
import { createReplica } from '../../ovsdb/replica.ts'
import { CHASSIS, DATAPATH_BINDING, PORT_BINDING, SOUTHBOUND_TABLES } from './southbound.ts'
import { southboundDirectory } from './southbound-directory.ts'

const NETWORK = 'da5bb487-5193-4a65-a3df-4a0055a8c0d7' as NetworkId
const KNOWN = { fixedIp: '10.0.0.5' as IpAddress }
const UNKNOWN = { fixedIp: '10.0.0.6' as IpAddress }
const SYNCHRONIZED: Status = { state: 'synchronized', remote: 'unix:sb', method: 'monitor_cond_since' }
const LOST: Status = { state: 'disconnected', remote: 'unix:sb', reason: new Error('gone') }
const QUICK = { holdMilliseconds: 120, lateMilliseconds: 60 }

/** The database as a client shows it, in hand. */
class Southbound {
  readonly #replica = createReplica(SOUTHBOUND_TABLES)
  readonly #listeners = new Set<() => void>()
  readonly find = this.#replica.find
  status: Status = SYNCHRONIZED

  put(table: AnyTable, uuid: string, row: Readonly<Record<string, unknown>> | undefined): void {
    const old = this.#replica.get(table, uuid as Uuid)
    this.#replica.apply([{ table: table.name, old, row: row && { _uuid: uuid as Uuid, ...row } } as never])
    for (const listener of this.#listeners) listener()
  }

  readonly onChanges = (listener: () => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
  readonly onStatus = this.onChanges

  addPort(address: string): void {
    const external_ids = new Map([
      ['neutron:cidrs', `${address}/24`],
      ['neutron:device_id', 'i-1'],
    ])
    const rest = { chassis: 'c-1', requested_chassis: undefined, additional_chassis: [], type: '', datapath: 'd-1' }
    this.put(PORT_BINDING, `p-${address}`, { logical_port: 'lp', mac: [], external_ids, ...rest })
  }
}

function cloud(): Southbound {
  const southbound = new Southbound()
  southbound.put(CHASSIS, 'c-1', { name: 'chassis-1' })
  southbound.put(DATAPATH_BINDING, 'd-1', { external_ids: new Map([['name', `neutron-${NETWORK}`]]) })
  southbound.addPort('10.0.0.5')
  return southbound
}

function directory(southbound: Southbound, isSettled = true) {
  return southboundDirectory(southbound as unknown as OvsdbClient, 'chassis-1', () => isSettled, QUICK)
}

describe('ports found in the Southbound database', () => {
  it('are those of the network with the address', async () => {
    const [port] = await directory(cloud()).find({ networkId: NETWORK }, KNOWN)
    assert.equal(port?.deviceId, 'i-1')
    assert.deepEqual(await directory(cloud()).find({ networkId: NETWORK }, UNKNOWN), [])
  })

  it('are waited for a moment, since news and the guest’s packets race', async () => {
    const southbound = cloud()
    const finding = directory(southbound).find({ networkId: NETWORK }, UNKNOWN)
    southbound.addPort('10.0.0.6')
    assert.equal((await finding).length, 1)
  })

  it('are still known while the connection is lost', async () => {
    const southbound = cloud()
    southbound.status = LOST
    assert.equal((await directory(southbound).find({ networkId: NETWORK }, KNOWN)).length, 1)
  })

  const uncertain: { name: string; change: (southbound: Southbound) => void; isSettled?: boolean }[] = [
    { name: 'the connection is lost', change: (southbound) => (southbound.status = LOST) },
    { name: 'our chassis has no row', change: (southbound) => southbound.put(CHASSIS, 'c-1', undefined) },
    {
      name: 'the network is not known here',
      change: (southbound) => southbound.put(DATAPATH_BINDING, 'd-1', undefined),
    },
    { name: 'rows are on their way', change: () => undefined, isSettled: false },
  ]
  for (const { name, change, isSettled = true } of uncertain)
    it(`are never said to be missing while ${name}`, async () => {
      const southbound = cloud()
      change(southbound)
      await assert.rejects(directory(southbound, isSettled).find({ networkId: NETWORK }, UNKNOWN), NotReady)
    })

  it('are said to be missing as soon as that is certain', async () => {
    const southbound = cloud()
    southbound.put(CHASSIS, 'c-1', undefined)
    const finding = directory(southbound).find({ networkId: NETWORK }, UNKNOWN)
    setTimeout(() => southbound.put(CHASSIS, 'c-1', { name: 'chassis-1' }), QUICK.lateMilliseconds + 10)
    assert.deepEqual(await finding, [])
  })

  it('are not behind routers', async () => {
    assert.deepEqual(await directory(cloud()).find({ routerId: 'r-1' as RouterId }, KNOWN), [])
  })
})
