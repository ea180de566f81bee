import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { aPort } from '../../../test/support/network-records.ts'
import type { IpAddress } from '../../inventory/records/address.ts'
import type { FloatingIp } from '../../inventory/records/floating-ip.ts'
import type { PortId } from '../../inventory/records/ids.ts'
import { emptyRecordSet, type RecordSet } from '../../inventory/records/records.ts'
import { findPorts } from './find-port.ts'

const inside = aPort('port-1', ['s=10.0.0.11'], { name: 'inside' })
const other = aPort('port-2', ['s=10.0.0.12'])
const floating = (address: string, portId: string | null): FloatingIp => ({
  id: `of ${address}` as FloatingIp['id'],
  projectId: inside.projectId,
  networkId: inside.networkId,
  address: address as IpAddress,
  portId: portId as PortId | null,
  fixedIpAddress: portId === null ? null : ('10.0.0.11' as IpAddress),
})
const floatingIps = [floating('203.0.113.3', 'port-1'), floating('203.0.113.4', null), floating('10.0.0.12', 'port-1')]
const records: RecordSet = {
  ...emptyRecordSet(),
  port: new Map([inside, other].map((port) => [port.id, port])),
  floating_ip: new Map(floatingIps.map((each) => [each.id, each])),
}

describe('whose way is meant', () => {
  for (const wanted of ['port-1', '10.0.0.11', inside.macAddress, '203.0.113.3'])
    it(`by ${wanted}`, () =>
      assert.deepEqual(
        findPorts(records, wanted).map(({ port, name, at }) => [port?.id, name, at]),
        [['port-1', 'inside', '10.0.0.11']],
      ))

  for (const { wanted, says } of [
    { wanted: '203.0.113.4', says: /203\.0\.113\.4 is a floating IP that stands for no port/ },
    { wanted: '203.0.113.5', says: /no port and no floating IP has 203\.0\.113\.5; see firstboot list ports/ },
    { wanted: '10.0.0.12', says: /2 ports have 10\.0\.0\.12; name one: port-1 .*port-2/ },
    { wanted: 'banana', says: /there is no server banana, nor a port .* address/ },
  ])
    it(`not by ${wanted}`, () => assert.throws(() => findPorts(records, wanted), { name: 'UsageError', message: says }))
})
