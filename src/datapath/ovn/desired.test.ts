import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeHost } from '../../../test/fakes/fake-host.ts'
import type { IpAddress, MacAddress } from '../../inventory/records/address.ts'
import type { NetworkId } from '../../inventory/records/ids.ts'
import { silentLog } from '../../observe/log.ts'
import { NOTHING } from '../plan.ts'
import { reconcileOnce } from '../reconcile.ts'
import { ovnDesired } from './desired.ts'
import type { OvnConfig, OvnNetwork } from './namespace.ts'

const [RED, BLUE] = ['aaaaaaaa', 'bbbbbbbb'].map((part) => `${part}-0000-4000-8000-000000000000` as NetworkId) as [
  NetworkId,
  NetworkId,
]

function network(id: NetworkId, logicalPort: string, cidr = '10.0.0.2/24'): OvnNetwork {
  const metadataPort = { logicalPort, mac: 'fa:16:3e:00:00:02' as MacAddress, cidrs: [cidr], mtu: 1442 }
  return { id, name: 'red', metadataPort, guestAddresses: ['10.0.0.5' as IpAddress] }
}

const CONFIG: OvnConfig = {
  bridge: 'br-int',
  hasIpv6: true,
  metadataProxyDriver: 'native',
  metadataProxySocket: '/run/metadata_proxy',
  rateLimit: null,
  statePath: '/state',
}
const wanted = (networks: readonly OvnNetwork[]) => ovnDesired({ networks, unserved: [] }, CONFIG)
const red = `netns ovnmeta-${RED}
  tapaaaaaaaa-01 peer tapaaaaaaaa-00 on br-int mtu 1442
    10.0.0.2/24
    169.254.169.254/32
  proxy 169.254.169.254:80 network=${RED}`

test('the chassis follows its networks', async () => {
  const host = new FakeHost()
  const states = [
    { name: 'a network', networks: [network(RED, 'meta')], want: red, ports: ['tapaaaaaaaa-00 meta'] },
    {
      name: 'another address of its metadata port',
      networks: [network(RED, 'meta', '10.0.0.3/24')],
      want: red.replace('10.0.0.2/24\n    169.254.169.254/32', '169.254.169.254/32\n    10.0.0.3/24'),
      ports: ['tapaaaaaaaa-00 meta'],
    },
    {
      name: 'another metadata port',
      networks: [network(RED, 'meta-2', '10.0.0.3/24')],
      want: red.replace('10.0.0.2/24\n    169.254.169.254/32', '169.254.169.254/32\n    10.0.0.3/24'),
      ports: ['tapaaaaaaaa-00 meta-2'],
    },
    {
      // The fake refuses two interfaces with one iface-id.
      name: 'another network, with a metadata port of the same name',
      networks: [network(BLUE, 'meta-2')],
      want: red.replaceAll('aaaaaaaa', 'bbbbbbbb'),
      ports: ['tapbbbbbbbb-00 meta-2'],
    },
    { name: 'no network', networks: [], want: '', ports: [] },
  ]
  for (const { name, networks, want, ports } of states) {
    const desired = () => wanted(networks)
    const { report } = await reconcileOnce({ host, log: silentLog, desired, settled: new WeakMap() })
    assert.deepEqual(report.failed, [], name)
    assert.equal(host.print(), want, name)
    assert.deepEqual(
      Array.from(host.switchPorts, ([device, { ifaceId }]) => `${device} ${ifaceId}`),
      ports,
      name,
    )
    const again = await reconcileOnce({ host, log: silentLog, desired, settled: new WeakMap() })
    assert.deepEqual(again.report.done, [], `${name}: nothing is left to do`)
  }
})

test('a port of ours whose namespace went while we were away goes before another takes its iface-id', async () => {
  const host = new FakeHost()
  host.switchPorts.set('tapcccccccc-00', { bridge: 'br-int', ifaceId: 'meta' })
  const desired = () => wanted([network(RED, 'meta')])
  const { report } = await reconcileOnce({ host, log: silentLog, desired, settled: new WeakMap() })
  assert.deepEqual(report.failed, [])
  assert.deepEqual([...host.switchPorts.keys()], ['tapaaaaaaaa-00'])
  await reconcileOnce({ host, log: silentLog, desired: () => NOTHING, settled: new WeakMap() })
  assert.equal(host.switchPorts.size, 0)
})

test('a network that cannot be served is told with the reason', () => {
  const { decisions, namespaces } = ovnDesired(
    { networks: [], unserved: [{ network: RED, reason: 'it has no metadata port' }] },
    CONFIG,
  )
  assert.equal(namespaces.size, 0)
  assert.deepEqual(decisions.map(({ netns, answers, because }) => [netns, answers, because]), [
    [`ovnmeta-${RED}`, false, 'it has no metadata port'],
  ]) // biome-ignore format: one row
})
