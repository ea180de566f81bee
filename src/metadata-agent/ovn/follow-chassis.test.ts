import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { localport, SouthboundInHand, switchOf } from '../../../test/ovn/southbound-in-hand.ts'
import type { Uuid } from '../../ovsdb/ovsdb.ts'
import { type Following, followChassis } from './follow-chassis.ts'
import { localNetworks } from './local-networks.ts'
import { DATAPATH_BINDING, PORT_BINDING } from './southbound.ts'

const [OLD, NEW] = ['aaaaaaaa-0000-4000-8000-000000000000', 'bbbbbbbb-0000-4000-8000-000000000000'] as const
const [EARLY_MAC, LATER_MAC] = ['fa:16:3e:00:00:01', 'fa:16:3e:00:00:02'] as const

let southbound: SouthboundInHand
let following: Following

/** The rest of what has been told is done with. */
const turn = () => new Promise(setImmediate)

/** As the server answers what is asked of one datapath. */
async function answer(which: number, datapath: string, network: string): Promise<void> {
  const row = { _uuid: datapath, ...switchOf(network) }
  const port = { _uuid: `m-${datapath}`, ...localport(datapath, EARLY_MAC) }
  southbound.transactions[which]?.reply.resolve([
    [{ table: DATAPATH_BINDING, row }],
    [{ table: PORT_BINDING, row: port }],
  ])
  await turn()
}

/** As the monitor tells of it. */
function follow(datapath: string, network: string, mac: string): void {
  southbound.addNetwork(datapath, network)
  southbound.put(PORT_BINDING, `m-${datapath}`, localport(datapath, mac))
}

/** By their networks, the MACs of what answers there; undefined while they cannot be known. */
function served(): readonly string[] | undefined {
  if (!following.isKnown()) return undefined
  const { networks = [], unserved = [] } = localNetworks(following.rows, 'chassis-1') ?? {}
  return [
    ...networks.map(({ id, metadataPort }) => `${id} ${metadataPort.mac}`),
    ...unserved.map((it) => `${it.network} not`),
  ]
}

describe('a network that is new on a chassis', () => {
  const old = `${OLD} ${LATER_MAC}`

  beforeEach(async () => {
    southbound = new SouthboundInHand()
    following = followChassis(southbound.client, 'chassis-1')
    await southbound.carryOut()
    southbound.addPort('g-1', 'd-1', '10.0.0.5')
    follow('d-1', OLD, LATER_MAC)
    await southbound.carryOut()
    southbound.addPort('g-2', 'd-2', '10.0.0.5')
  })

  it('cannot be known before anything of it is', async () => {
    assert.equal(served(), undefined)
    assert.equal(southbound.transactions.length, 2)
    await answer(0, 'd-1', OLD) // which was for another one
    assert.equal(served(), undefined)
  })

  it('is known from what was read ahead, and who waits for it is told', async () => {
    let told: readonly string[] | undefined
    following.onKnown(() => {
      told = served()
    })
    await answer(1, 'd-2', NEW)
    assert.deepEqual(told, [old, `${NEW} ${EARLY_MAC}`])
    assert.equal(following.isSettled(), false)
    assert.equal(southbound.count(DATAPATH_BINDING), 1)
  })

  it('is what the monitor tells as soon as it does', async () => {
    await answer(1, 'd-2', NEW)
    follow('d-2', NEW, LATER_MAC)
    assert.deepEqual(served(), [old, `${NEW} ${LATER_MAC}`])
    assert.equal(following.rows.count(PORT_BINDING), southbound.count(PORT_BINDING))
    await southbound.carryOut()
    assert.deepEqual([served(), following.isSettled()], [[old, `${NEW} ${LATER_MAC}`], true])
    southbound.put(PORT_BINDING, 'm-d-2', undefined)
    assert.deepEqual(served(), [old, `${NEW} not`])
  })

  it('loses a row that has gone by the time that it is followed', async () => {
    await answer(1, 'd-2', NEW)
    southbound.addNetwork('d-2', NEW)
    assert.deepEqual(served(), [old, `${NEW} ${EARLY_MAC}`])
    await southbound.carryOut()
    assert.deepEqual(served(), [old, `${NEW} not`])
  })

  it('is nothing any more when its guest has left before that', async () => {
    await answer(1, 'd-2', NEW)
    southbound.put(PORT_BINDING, 'g-2', undefined)
    assert.deepEqual(served(), [old])
    assert.equal(following.rows.get(DATAPATH_BINDING, 'd-2' as Uuid), undefined)
  })

  it('is read ahead again when its guest is back before that, and what was read for the first time is not used', async () => {
    southbound.put(PORT_BINDING, 'g-2', undefined)
    southbound.addPort('g-2', 'd-2', '10.0.0.5')
    await answer(1, 'd-2', NEW)
    assert.equal(served(), undefined)
    await answer(2, 'd-2', NEW)
    assert.deepEqual(served(), [old, `${NEW} ${EARLY_MAC}`])
  })

  it('waits for the followed rows when reading ahead fails', async () => {
    southbound.transactions[1]?.reply.reject(new Error('refused'))
    await turn()
    assert.equal(served(), undefined)
    follow('d-2', NEW, LATER_MAC)
    await southbound.carryOut()
    assert.deepEqual(served(), [old, `${NEW} ${LATER_MAC}`])
  })

  it('does not wait for what is read ahead, which is of no use when it comes late', async () => {
    southbound.addNetwork('d-2', NEW)
    await southbound.carryOut()
    await answer(1, 'd-2', NEW)
    assert.deepEqual(served(), [old, `${NEW} not`])
  })

  it('waits for the followed rows when the connection is lost meanwhile', async () => {
    await answer(1, 'd-2', NEW)
    southbound.lose()
    assert.equal(served(), undefined)
    assert.equal(following.rows.get(DATAPATH_BINDING, 'd-2' as Uuid), undefined)
  })
})

describe('several networks that are new at once', () => {
  for (const { count, operations } of [
    { count: 2, operations: [4] },
    { count: 30, operations: [] },
  ])
    it(`are read ahead in one transaction if that is quicker: ${count}`, async () => {
      southbound = new SouthboundInHand()
      const ports = Array.from({ length: count }, (_, i) => `g-${i}`)
      for (const [i, port] of ports.entries()) southbound.addPort(port, `d-${i}`, '10.0.0.5')
      following = followChassis(southbound.client, 'chassis-1')
      assert.deepEqual(
        southbound.transactions.map((it) => it.operations.length),
        operations,
      )
      await southbound.carryOut()
      assert.equal(following.isKnown(), true)
    })
})
