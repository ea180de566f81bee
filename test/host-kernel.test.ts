import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Route } from '../src/host/namespace.ts'
import { inNamespace, netnsPath } from '../src/host/netns.ts'
import { computesChecksums } from '../src/host/offload.ts'
import { runProgram } from '../src/host/programs.ts'
import type { Cidr, IpAddress } from '../src/inventory/records/address.ts'
import { type BridgedNamespaces, device, inside, openBridgedNamespaces } from './support/bridged-namespaces.ts'
import { noSandbox } from './support/datapath-machine.ts'
import { eventually } from './support/eventually.ts'
import { kernelTurn } from './support/kernel-turn.ts'

await kernelTurn()

// What is seen of namespaces that were changed by hand, and who hears of it.

const A = 'qrouter-a'
const drift: string[] = []
let machine: BridgedNamespaces
before(async () => {
  if (!noSandbox) machine = await openBridgedNamespaces()
})
after(() => machine?.close())

describe('routes', { skip: noSandbox }, () => {
  const route = (destination: string, gateway: string): Route => ({
    destination: destination as Cidr,
    gateway: gateway as IpAddress,
    device: 'qr-a',
  })
  const routes = [
    route('0.0.0.0/0', '10.0.0.254'),
    route('192.0.2.0/24', '10.0.0.253'),
    route('198.51.100.7/32', '172.16.0.1'),
    route('::/0', 'fe80::1'),
    route('2001:db8:1::/48', 'fd00::fe'),
  ]
  const sorted = (some: readonly Route[]) => some.map((one) => JSON.stringify(one)).toSorted()

  it('are set and seen in both families, and those without a gateway are not theirs to tell', async () => {
    await machine.host.execute(routes.map((one) => ({ kind: 'route-set', netns: A, route: one })))
    assert.deepEqual(sorted((await machine.observed(A)).routes), sorted(routes))
  })

  it('are given another gateway in place', async () => {
    const changed = [route('192.0.2.0/24', '10.0.0.252'), route('2001:db8:1::/48', 'fd00::fd')]
    await machine.host.execute(changed.map((one) => ({ kind: 'route-set', netns: A, route: one })))
    const kept = routes.filter(({ destination }) => !changed.some((other) => other.destination === destination))
    assert.deepEqual(sorted((await machine.observed(A)).routes), sorted([...kept, ...changed]))
    await machine.host.execute(changed.map((one) => ({ kind: 'route-delete', netns: A, route: one })))
    assert.deepEqual(sorted((await machine.observed(A)).routes), sorted(kept))
  })

  it('that come of router advertisements are nobody’s', async () => {
    const before = (await machine.observed(A)).routes
    await inside(
      A,
      ...(['ip', 'route', 'add', '2001:db8:2::/48', 'via', 'fd00::9', 'dev', 'qr-a', 'proto', 'ra'] as const),
    )
    assert.deepEqual((await machine.observed(A)).routes, before)
  })
})

describe('checksums', { skip: noSandbox }, () => {
  it('are computed on both ends of a pair, and again after somebody left them to hardware', async () => {
    const both = () => [computesChecksums('tap-a'), inNamespace<boolean>(netnsPath(A), () => computesChecksums('qr-a'))]
    assert.deepEqual(both(), [true, true])
    assert.match((await runProgram('ethtool', ['-k', 'tap-a'])).stdout, /^tx-checksumming: off$/m)
    await inside(A, 'ethtool', '-K', 'qr-a', 'tx', 'on')
    assert.deepEqual(both(), [true, false])
    assert.equal((await machine.observed(A)).devices[0]?.offloads, true)
    await machine.host.execute([{ kind: 'device-set', netns: A, device: device('a') }])
    assert.deepEqual(both(), [true, true])
    assert.equal((await machine.observed(A)).devices[0]?.offloads, undefined)
  })
})

describe('news', { skip: noSandbox }, () => {
  before(async () => {
    await machine.host.observe()
  })

  it('of nothing lets nothing be read, and the same objects be seen', async () => {
    const before = await machine.host.observe()
    machine.reads.length = 0
    for (let i = 0; i < 5; i++) {
      const now = await machine.host.observe()
      for (const [name, seen] of before.namespaces) assert.equal(now.namespaces.get(name), seen)
    }
    assert.deepEqual(machine.reads, [])
  })

  const changes: readonly { readonly what: string; readonly by: readonly [string, ...string[]] }[] = [
    { what: 'an address that is gone', by: ['ip', 'address', 'delete', '10.0.0.2/24', 'dev', 'qr-b'] },
    { what: 'another address', by: ['ip', 'address', 'add', 'fd00::77/64', 'dev', 'qr-b', 'nodad'] },
    { what: 'a device that is down', by: ['ip', 'link', 'set', 'qr-b', 'down'] },
    { what: 'a device that is up', by: ['ip', 'link', 'set', 'qr-b', 'up'] },
    { what: 'another MTU', by: ['ip', 'link', 'set', 'qr-b', 'mtu', '1400'] },
    { what: 'a route', by: ['ip', 'route', 'add', '192.0.2.0/24', 'via', '10.0.0.9', 'dev', 'qr-b', 'onlink'] },
    { what: 'forwarding', by: ['sysctl', '-w', 'net.ipv4.ip_forward=1'] },
  ]
  for (const { what, by } of changes)
    it(`of ${what} is seen at the next look, and only there`, async () => {
      const before = await machine.host.observe()
      machine.reads.length = 0
      await inside('qrouter-b', ...by)
      const now = await machine.host.observe()
      assert.notEqual(now.namespaces.get('qrouter-b'), before.namespaces.get('qrouter-b'))
      assert.equal(now.namespaces.get(A), before.namespaces.get(A))
      assert.deepEqual([...new Set(machine.reads)], ['qrouter-b'])
    })

  it('that the kernel keeps to itself is seen soon', async () => {
    const name = 'net.ipv4.ip_nonlocal_bind'
    await inside('qrouter-c', 'sysctl', '-w', `${name}=1`)
    await eventually('it is seen', async () => (await machine.observed('qrouter-c')).sysctls[name] === '1')
  })

  it('of the end outside is seen too', async () => {
    await runProgram('ip', ['link', 'set', 'tap-c', 'nomaster'])
    assert.equal((await machine.observed('qrouter-c')).devices[0]?.bridge, '')
    await machine.host.execute([{ kind: 'device-set', netns: 'qrouter-c', device: device('c') }])
    assert.equal((await machine.observed('qrouter-c')).devices[0]?.bridge, 'brqtest')
  })

  it('reaches those who wait for it without a look, and names what it is', async (t) => {
    t.after(machine.host.onDrift((what) => drift.push(what)))
    await inside(A, 'ip', 'address', 'delete', '10.0.0.1/24', 'dev', 'qr-a')
    await eventually('the address is missed', () => drift.some((what) => /devices.* of qrouter-a changed/.test(what)))
    drift.length = 0
    await runProgram('ip', ['link', 'set', 'brqtest', 'down'])
    await eventually('the bridge is missed', () => drift.some((what) => what === 'bridge brqtest changed'))
  })

  it('of what we do ourselves reaches nobody', async (t) => {
    await machine.host.observe()
    drift.length = 0
    t.after(machine.host.onDrift((what) => drift.push(what)))
    await machine.host.execute([
      { kind: 'bridge-set', bridge: { name: 'brqtest', mtu: 1450 } },
      { kind: 'address-add', netns: A, device: 'qr-a', address: '10.0.0.1/24' },
      { kind: 'sysctl-set', netns: A, name: 'net.ipv4.ip_forward', value: '1' },
    ])
    // Somebody else's change afterwards comes with the same breath, and is the only one.
    await pause(500)
    await inside('qrouter-c', 'ip', 'address', 'delete', '10.0.0.3/24', 'dev', 'qr-c')
    await eventually('the address is missed', () => drift.length > 0)
    assert.deepEqual(drift, ['devices of qrouter-c changed'])
    assert.equal((await machine.observed(A)).sysctls['net.ipv4.ip_forward'], '1')
  })
})
