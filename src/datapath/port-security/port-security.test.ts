import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FakeHost } from '../../../test/fakes/fake-host.ts'
import { aDhcpPort, aPort, aRouterPort } from '../../../test/support/network-records.ts'
import type { Cidr, IpAddress, MacAddress } from '../../inventory/records/address.ts'
import type { Port } from '../../inventory/records/port.ts'
import { silentLog } from '../../observe/log.ts'
import { NOTHING } from '../plan.ts'
import { reconcileOnce } from '../reconcile.ts'
import { portSecurity } from './elements.ts'

const TABLE = 'firstboot-0123456789ab'
const MAC = 'fa:16:3e:00:00:01' as MacAddress
const guest = aPort('11111111-1', ['s=10.0.0.7'], { macAddress: MAC })
const other = aPort('22222222-2', ['s=10.0.0.8'], { macAddress: 'fa:16:3e:00:00:02' as MacAddress })

function pair(ipAddress: string, macAddress: string | null = null) {
  return { ipAddress: ipAddress as IpAddress | Cidr, macAddress: macAddress as MacAddress | null }
}

describe('what a port may send as', () => {
  const rows: readonly { readonly name: string; readonly port: Port; readonly want: readonly string[] }[] = [
    {
      name: 'its MAC address, its fixed IPs and its link-local address',
      port: aPort('11111111-1', ['s4=10.0.0.7', 's6=fd00::7'], { macAddress: MAC }),
      want: [
        'ports tap11111111-1',
        'macs tap11111111-1 fa:16:3e:00:00:01',
        'ipv4 tap11111111-1 10.0.0.7',
        'ipv6 tap11111111-1 fd00::7',
        'targets tap11111111-1 fd00::7',
        'ipv6 tap11111111-1 fe80::f816:3eff:fe00:1',
        'targets tap11111111-1 fe80::f816:3eff:fe00:1',
      ],
    },
    {
      name: 'what it shares with others, with the link-local address of that MAC',
      port: { ...guest, allowedAddressPairs: [pair('10.0.0.7'), pair('10.0.0.100', '00:00:5e:00:01:0a')] },
      want: [
        'ports tap11111111-1',
        'macs tap11111111-1 fa:16:3e:00:00:01',
        'macs tap11111111-1 00:00:5e:00:01:0a',
        'ipv4 tap11111111-1 10.0.0.7',
        'ipv4 tap11111111-1 10.0.0.100',
        'ipv6 tap11111111-1 fe80::f816:3eff:fe00:1',
        'targets tap11111111-1 fe80::f816:3eff:fe00:1',
        'ipv6 tap11111111-1 fe80::200:5eff:fe00:10a',
        'targets tap11111111-1 fe80::200:5eff:fe00:10a',
      ],
    },
    {
      name: 'ranges, none of them inside another',
      port: {
        ...aPort('11111111-1', [], { macAddress: MAC }),
        allowedAddressPairs: ['10.1.2.0/24', '10.1.0.0/16', '10.1.0.0/16', '10.2.0.0/16', '::/0', 'fd00::/64'].map(
          (range) => pair(range),
        ),
      },
      want: [
        'ports tap11111111-1',
        'macs tap11111111-1 fa:16:3e:00:00:01',
        'ipv6 tap11111111-1 fe80::f816:3eff:fe00:1',
        'targets tap11111111-1 fe80::f816:3eff:fe00:1',
        'ipv4_ranges tap11111111-1 10.1.0.0/16',
        'ipv4_ranges tap11111111-1 10.2.0.0/16',
        'ipv6_ranges tap11111111-1 ::/0',
        'target_ranges tap11111111-1 ::/0',
      ],
    },
    { name: 'anything, without port security', port: { ...guest, portSecurityEnabled: false }, want: [] },
    { name: 'anything, when it is ours: DHCP', port: aDhcpPort('33333333-3', 's=10.0.0.2'), want: [] },
    { name: 'anything, when it is ours: a router', port: aRouterPort('44444444-4', 's=10.0.0.1'), want: [] },
  ]
  for (const { name, port, want } of rows) it(name, () => assert.deepEqual([...portSecurity([port]).elements], want))
})

describe('the table of port security', () => {
  /** What one pass did and why. */
  async function pass(host: FakeHost, ports: readonly Port[] | undefined): Promise<readonly string[]> {
    const desired = { ...NOTHING, portSecurity: ports && portSecurity(ports) }
    const deps = { host, log: silentLog, desired: () => desired, settled: new WeakMap() }
    const { report } = await reconcileOnce(deps)
    assert.deepEqual(report.failed, [])
    assert.deepEqual((await reconcileOnce(deps)).report.done, [], 'a second pass has nothing to do')
    return report.done.map(({ where, command, reason }) => `${where} ${command.kind}: ${reason}`)
  }

  function machine(): FakeHost {
    const host = new FakeHost()
    host.portSecurity = { table: TABLE, exists: false, damage: undefined, elements: new Set() }
    return host
  }

  it('is made, changed by the difference, made anew when it is damaged, and taken away', async () => {
    const host = machine()
    assert.deepEqual(await pass(host, []), [])
    assert.deepEqual(await pass(host, [guest]), [`${TABLE} port-security-make: the table is missing`])
    assert.deepEqual(await pass(host, [guest, { ...other, fixedIps: [] }]), [
      `${TABLE} port-security-set: lacks ports tap22222222-2; lacks macs tap22222222-2 fa:16:3e:00:00:02; and 2 more`,
    ])
    assert.deepEqual(await pass(host, [guest, other]), [
      `${TABLE} port-security-set: lacks ipv4 tap22222222-2 10.0.0.8`,
    ])
    assert.deepEqual(await pass(host, [guest, { ...other, fixedIps: [] }]), [
      `${TABLE} port-security-set: has ipv4 tap22222222-2 10.0.0.8 too much`,
    ])
    if (host.portSecurity !== undefined) host.portSecurity.damage = 'rules stand in another order'
    assert.deepEqual(await pass(host, [guest]), [`${TABLE} port-security-make: rules stand in another order`])
    assert.deepEqual(await pass(host, undefined), [`${TABLE} port-security-delete: no port is to be guarded`])
  })

  it('cuts a guest off that is still plugged in when its port is deleted, until it is not', async () => {
    const host = machine()
    await pass(host, [guest, other])
    host.bridges.set('brq1', { name: 'brq1', mtu: 1450, up: true, owner: 'others', ports: ['tap22222222-2'] })
    await pass(host, [guest])
    const left = () => [...(host.portSecurity?.elements ?? [])].filter((each) => each.includes('tap22222222-2'))
    assert.deepEqual(left(), ['ports tap22222222-2'])
    await pass(host, [guest, { ...other, portSecurityEnabled: false }])
    assert.deepEqual(left(), [], 'a port that wants no guard has none')
    await pass(host, [guest, other])
    await pass(host, [])
    host.bridges.delete('brq1')
    assert.deepEqual(await pass(host, []), [`${TABLE} port-security-delete: no port is to be guarded`])
  })

  it('is left alone where there is no nft', async () => {
    assert.deepEqual(await pass(new FakeHost(), [guest]), [])
  })
})
