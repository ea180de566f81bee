import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { localport, SouthboundInHand, switchOf } from '../../../test/ovn/southbound-in-hand.ts'
import { NotReady } from '../../http/errors.ts'
import type { IpAddress } from '../../inventory/records/address.ts'
import type { NetworkId, RouterId } from '../../inventory/records/ids.ts'
import { followChassis } from './follow-chassis.ts'
import { CHASSIS, DATAPATH_BINDING, PORT_BINDING } from './southbound.ts'
import { southboundDirectory } from './southbound-directory.ts'

const NETWORK = 'da5bb487-5193-4a65-a3df-4a0055a8c0d7' as NetworkId
const KNOWN = { fixedIp: '10.0.0.5' as IpAddress }
const UNKNOWN = { fixedIp: '10.0.0.6' as IpAddress }
const QUICK = { holdMilliseconds: 120, lateMilliseconds: 60 }

function cloud(): SouthboundInHand {
  const southbound = new SouthboundInHand()
  southbound.addNetwork('d-1', NETWORK)
  southbound.addPort('p-5', 'd-1', '10.0.0.5')
  return southbound
}

function directory(southbound: SouthboundInHand, isSettled = true) {
  const { client } = southbound
  const following = { rows: client, isSettled: () => isSettled, onKnown: () => () => undefined }
  return southboundDirectory(client, 'chassis-1', following, QUICK)
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
    southbound.addPort('p-6', 'd-1', '10.0.0.6')
    assert.equal((await finding).length, 1)
  })

  it('are still known while the connection is lost', async () => {
    const southbound = cloud()
    southbound.lose()
    assert.equal((await directory(southbound).find({ networkId: NETWORK }, KNOWN)).length, 1)
  })

  const uncertain: { name: string; change: (southbound: SouthboundInHand) => void; isSettled?: boolean }[] = [
    { name: 'the connection is lost', change: (southbound) => southbound.lose() },
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

  it('are found as soon as their network is known, be it read ahead of the rows that are followed', async () => {
    const southbound = new SouthboundInHand()
    const following = followChassis(southbound.client, 'chassis-1')
    southbound.addPort('p-5', 'd-1', '10.0.0.5')
    const finding = southboundDirectory(southbound.client, 'chassis-1', following).find({ networkId: NETWORK }, KNOWN)
    southbound.transactions[0]?.reply.resolve([
      [{ table: DATAPATH_BINDING, row: { _uuid: 'd-1', ...switchOf(NETWORK) } }],
      [{ table: PORT_BINDING, row: { _uuid: 'm-1', ...localport('d-1', 'fa:16:3e:00:00:01') } }],
    ])
    assert.deepEqual(
      (await finding).map(({ deviceId }) => deviceId),
      ['i-1'],
    )
    assert.equal(following.isSettled(), false)
  })

  it('are not behind routers', async () => {
    assert.deepEqual(await directory(cloud()).find({ routerId: 'r-1' as RouterId }, KNOWN), [])
  })
})
