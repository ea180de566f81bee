import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { ownTables, parseIptablesSave } from '../src/host/firewall.ts'
import type { Command, ObservedNamespace } from '../src/host/host.ts'
import { KernelHost } from '../src/host/kernel-host.ts'
import { Listeners } from '../src/host/listeners.ts'
import { type Device, type Firewall, NO_FIREWALL, type Route } from '../src/host/namespace.ts'
import { inNamespace, netnsPath } from '../src/host/netns.ts'
import { computesChecksums } from '../src/host/offload.ts'
import { captureProgram, runProgram } from '../src/host/programs.ts'
import type { Cidr, IpAddress, MacAddress } from '../src/inventory/records/address.ts'
import { noSandbox, temporaryDirectory } from './support/datapath-machine.ts'
import { eventually } from './support/eventually.ts'
import { kernelTurn } from './support/kernel-turn.ts'

await kernelTurn()

// Three namespaces on one bridge, made by the commands of the datapath and changed by hand.
//
//   qrouter-a        qrouter-b        qrouter-c
//   qr-a 10.0.0.1    qr-b 10.0.0.2    qr-c 10.0.0.3
//     |                |                |
//   tap-a ---------- tap-b ---------- tap-c      brqtest

const NAMES = ['a', 'b', 'c'] as const
const A = 'qrouter-a'
const state = temporaryDirectory()
const reads: string[] = []
const drift: string[] = []
let host: KernelHost

function device(letter: string): Device {
  const number = NAMES.join('').indexOf(letter) + 1
  return {
    name: `qr-${letter}`,
    peer: `tap-${letter}`,
    bridge: 'brqtest',
    mac: `fa:16:3e:00:00:0${number}` as MacAddress,
    mtu: 1450,
    addresses: [`10.0.0.${number}/24`, `fd00::${number}/64`],
  }
}

function making(letter: string): readonly Command[] {
  const netns = `qrouter-${letter}`
  const wanted = device(letter)
  return [
    { kind: 'netns-add', netns },
    { kind: 'device-add', netns, device: wanted },
    ...wanted.addresses.map((address) => ({ kind: 'address-add', netns, device: wanted.name, address }) as const),
  ]
}

function openHost(): KernelHost {
  return new KernelHost({
    netnsPrefixes: ['qrouter-'],
    firewallPrefixes: ['qrouter-'],
    bridgePrefix: 'brq',
    statePath: state.path,
    sysctls: ['net.ipv4.ip_forward', 'net.ipv4.ip_nonlocal_bind'],
    sockets: new Listeners(() => assert.fail()),
    warn: (what) => assert.fail(what),
    onRead: (netns) => reads.push(netns),
  })
}

async function observed(netns: string): Promise<ObservedNamespace> {
  return (await host.observe()).namespaces.get(netns) ?? assert.fail(`${netns} is not there`)
}

const inside = (netns: string, ...command: readonly [string, ...string[]]) =>
  runProgram('ip', ['netns', 'exec', netns, ...command])

before(async () => {
  if (noSandbox) return
  host = openHost()
  await host.execute([{ kind: 'bridge-add', bridge: { name: 'brqtest', mtu: 1450 } }])
  for (const letter of NAMES) await host.execute(making(letter))
})

after(() => {
  if (!noSandbox) host.close()
  state.remove()
})

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
    await host.execute(routes.map((one) => ({ kind: 'route-set', netns: A, route: one })))
    assert.deepEqual(sorted((await observed(A)).routes), sorted(routes))
  })

  it('are given another gateway in place', async () => {
    const changed = [route('192.0.2.0/24', '10.0.0.252'), route('2001:db8:1::/48', 'fd00::fd')]
    await host.execute(changed.map((one) => ({ kind: 'route-set', netns: A, route: one })))
    const kept = routes.filter(({ destination }) => !changed.some((other) => other.destination === destination))
    assert.deepEqual(sorted((await observed(A)).routes), sorted([...kept, ...changed]))
    await host.execute(changed.map((one) => ({ kind: 'route-delete', netns: A, route: one })))
    assert.deepEqual(sorted((await observed(A)).routes), sorted(kept))
  })

  it('that come of router advertisements are nobody’s', async () => {
    const before = (await observed(A)).routes
    await inside(
      A,
      ...(['ip', 'route', 'add', '2001:db8:2::/48', 'via', 'fd00::9', 'dev', 'qr-a', 'proto', 'ra'] as const),
    )
    assert.deepEqual((await observed(A)).routes, before)
  })
})

describe('checksums', { skip: noSandbox }, () => {
  it('are computed on both ends of a pair, and again after somebody left them to hardware', async () => {
    const both = () => [computesChecksums('tap-a'), inNamespace<boolean>(netnsPath(A), () => computesChecksums('qr-a'))]
    assert.deepEqual(both(), [true, true])
    if ((await captureProgram('sh', ['-c', 'command -v ethtool'])).exitCode !== 0) return
    assert.match((await runProgram('ethtool', ['-k', 'tap-a'])).stdout, /^tx-checksumming: off$/m)
    await inside(A, 'ethtool', '-K', 'qr-a', 'tx', 'on')
    assert.deepEqual(both(), [true, false])
    assert.equal((await observed(A)).devices[0]?.offloads, true)
    await host.execute([{ kind: 'device-set', netns: A, device: device('a') }])
    assert.deepEqual(both(), [true, true])
    assert.equal((await observed(A)).devices[0]?.offloads, undefined)
  })
})

describe('news', { skip: noSandbox }, () => {
  before(async () => {
    await host.observe()
  })

  it('of nothing lets nothing be read, and the same objects be seen', async () => {
    const before = await host.observe()
    reads.length = 0
    for (let i = 0; i < 5; i++) {
      const now = await host.observe()
      for (const [name, seen] of before.namespaces) assert.equal(now.namespaces.get(name), seen)
    }
    assert.deepEqual(reads, [])
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
      const before = await host.observe()
      reads.length = 0
      await inside('qrouter-b', ...by)
      const now = await host.observe()
      assert.notEqual(now.namespaces.get('qrouter-b'), before.namespaces.get('qrouter-b'))
      assert.equal(now.namespaces.get(A), before.namespaces.get(A))
      assert.deepEqual([...new Set(reads)], ['qrouter-b'])
    })

  it('that the kernel keeps to itself is seen soon', async () => {
    const name = 'net.ipv4.ip_nonlocal_bind'
    await inside('qrouter-c', 'sysctl', '-w', `${name}=1`)
    for (const end = performance.now() + 10_000; (await observed('qrouter-c')).sysctls[name] !== '1'; await pause(100))
      assert.ok(performance.now() < end, 'it is not seen')
  })

  it('of the end outside is seen too', async () => {
    await runProgram('ip', ['link', 'set', 'tap-c', 'nomaster'])
    assert.equal((await observed('qrouter-c')).devices[0]?.bridge, '')
    await host.execute([{ kind: 'device-set', netns: 'qrouter-c', device: device('c') }])
    assert.equal((await observed('qrouter-c')).devices[0]?.bridge, 'brqtest')
  })

  it('reaches those who wait for it without a look, and names what it is', async (t) => {
    t.after(host.onDrift((what) => drift.push(what)))
    await inside(A, 'ip', 'address', 'delete', '10.0.0.1/24', 'dev', 'qr-a')
    await eventually('the address is missed', () => drift.some((what) => /devices.* of qrouter-a changed/.test(what)))
    drift.length = 0
    await runProgram('ip', ['link', 'set', 'brqtest', 'down'])
    await eventually('the bridge is missed', () => drift.some((what) => what === 'bridge brqtest changed'))
  })

  it('of what we do ourselves reaches nobody', async (t) => {
    await host.observe()
    drift.length = 0
    t.after(host.onDrift((what) => drift.push(what)))
    await host.execute([
      { kind: 'bridge-set', bridge: { name: 'brqtest', mtu: 1450 } },
      { kind: 'address-add', netns: A, device: 'qr-a', address: '10.0.0.1/24' },
      { kind: 'sysctl-set', netns: A, name: 'net.ipv4.ip_forward', value: '1' },
    ])
    // Somebody else's change afterwards comes with the same breath, and is the only one.
    await pause(500)
    await inside('qrouter-c', 'ip', 'address', 'delete', '10.0.0.3/24', 'dev', 'qr-c')
    await eventually('the address is missed', () => drift.length > 0)
    assert.deepEqual(drift, ['devices of qrouter-c changed'])
    assert.equal((await observed(A)).sysctls['net.ipv4.ip_forward'], '1')
  })
})

function golden(name: string): string {
  return readFileSync(new URL(`golden/neutron/router/${name}`, import.meta.url), 'utf8')
}

const neutrons: Firewall = {
  4: ownTables(parseIptablesSave(golden('iptables-save.txt'))),
  6: ownTables(parseIptablesSave(golden('ip6tables-save.txt'))),
}

const FLUSH = 'a table flushed'
const variants = [
  { name: 'nf_tables', program: '/usr/sbin/xtables-nft-multi', netns: A },
  { name: 'legacy', program: '/usr/sbin/xtables-legacy-multi', netns: 'qrouter-c' },
]

for (const { name, program, netns } of variants)
  describe(`a firewall by ${name}`, { skip: noSandbox }, () => {
    const path = process.env['PATH']
    const own = join(state.path, name)
    const words = ['', '-save', '-restore'].flatMap((end) => [`iptables${end}`, `ip6tables${end}`])

    before(() => {
      mkdirSync(own)
      for (const word of words) symlinkSync(program, join(own, word))
      process.env['PATH'] = `${own}:${path}`
      host.close()
      host = openHost()
    })

    after(() => {
      process.env['PATH'] = path
    })

    const rulesOf = async () => parseIptablesSave((await inside(netns, 'iptables-save')).stdout)
    const set = (firewall: Firewall) => host.execute([{ kind: 'firewall-set', netns, firewall }])
    const byHand = (...args: readonly string[]) => inside(netns, 'iptables', '-w', ...args)
    /** Rules of legacy tables announce nothing. */
    const seen = async (holds: (firewall: Firewall) => boolean) => {
      let firewall = NO_FIREWALL
      const end = performance.now() + (name === 'legacy' ? 20_000 : 0)
      do {
        firewall = (await observed(netns)).firewall
        if (holds(firewall)) return
        await pause(50)
      } while (performance.now() < end)
      assert.fail(`not seen: ${JSON.stringify(firewall)}`)
    }
    const isNeutrons = (firewall: Firewall) => JSON.stringify(firewall) === JSON.stringify(neutrons)

    it('is nothing at first', async () => {
      assert.deepEqual((await observed(netns)).firewall, NO_FIREWALL)
    })

    it('is read back as it was set', async () => {
      await set(neutrons)
      assert.deepEqual((await observed(netns)).firewall, neutrons)
    })

    it('starts no program as long as nothing changes', async () => {
      await host.observe()
      reads.length = 0
      await host.observe()
      assert.deepEqual(reads, [])
    })

    it('leaves others’ rules where they are, and puts its jumps behind them', async () => {
      await byHand('-t', 'nat', '-N', 'theirs')
      await byHand('-t', 'nat', '-A', 'theirs', '-j', 'RETURN')
      await byHand('-t', 'nat', '-A', 'PREROUTING', '-i', 'eth9', '-j', 'theirs')
      await byHand('-t', 'nat', '-F', 'neutron-l3-agent-PREROUTING')
      await byHand('-P', 'FORWARD', 'DROP')
      await seen((firewall) => !isNeutrons(firewall))
      await set({
        ...neutrons,
        4: neutrons[4].map((table) =>
          table.name !== 'nat' ? table : { ...table, rules: table.rules.filter((rule) => !/snat|bottom/.test(rule)) },
        ),
      })
      const nat = (await rulesOf()).find((table) => table.name === 'nat')
      assert.ok(nat?.chains.includes('theirs') && nat.rules.includes('-A theirs -j RETURN'))
      await set(neutrons)
      assert.match((await inside(netns, 'iptables-save')).stdout, /^:FORWARD DROP/m)
      const prerouting = (await rulesOf()).find((table) => table.name === 'nat')?.rules ?? []
      assert.deepEqual(prerouting.filter((rule) => rule.startsWith('-A PREROUTING')).slice(0, 1), [
        '-A PREROUTING -i eth9 -j theirs',
      ])
      assert.deepEqual((await observed(netns)).firewall, neutrons)
    })

    const damage: readonly { readonly what: string; readonly by: readonly string[] }[] = [
      { what: 'one rule deleted', by: ['-D', 'neutron-l3-agent-INPUT', '1'] },
      { what: 'a jump taken out', by: ['-t', 'nat', '-D', 'PREROUTING', '-j', 'neutron-l3-agent-PREROUTING'] },
      { what: 'a rule inserted into a chain of ours', by: ['-I', 'neutron-l3-agent-INPUT', '-j', 'ACCEPT'] },
      { what: FLUSH, by: ['-t', 'nat', '-F'] },
      { what: 'another chain of ours', by: ['-N', 'neutron-l3-agent-odd'] },
    ]
    // Each takes a while where nothing is announced, and the flush alone tells that it is looked at.
    for (const { what, by } of name === 'legacy' ? damage.filter(({ what }) => what === FLUSH) : damage)
      it(`sees ${what}, and mends it`, async () => {
        await byHand(...by)
        await seen((firewall) => !isNeutrons(firewall))
        await set(neutrons)
        assert.deepEqual((await observed(netns)).firewall, neutrons)
      })

    it('goes altogether, and what others have stays', async () => {
      await byHand('-t', 'nat', '-I', 'PREROUTING', '-i', 'eth9', '-j', 'theirs')
      await set(NO_FIREWALL)
      assert.deepEqual((await observed(netns)).firewall, NO_FIREWALL)
      const { stdout } = await inside(netns, 'iptables-save')
      assert.doesNotMatch(stdout, /neutron/)
      assert.match(stdout, /-A PREROUTING -i eth9 -j theirs/)
    })

    it('says which rule is refused, and leaves the table as it was', async () => {
      await set(neutrons)
      const odd = { name: 'filter', chains: ['neutron-l3-agent-x'], rules: ['-A neutron-l3-agent-x --odd'] } as const
      await assert.rejects(set({ ...neutrons, 4: [odd] }), /qrouter-.: `iptables-restore.*-A neutron-l3-agent-x --odd/)
      const table = (await observed(netns)).firewall[4].find((one) => one.name === 'filter')
      assert.deepEqual(
        table,
        neutrons[4].find((one) => one.name === 'filter'),
      )
    })
  })

describe('a machine without iptables', { skip: noSandbox }, () => {
  it('is looked at all the same, and says what to install when there is something to set', async (t) => {
    const path = process.env['PATH']
    t.after(() => {
      process.env['PATH'] = path
    })
    const bare = join(state.path, 'bare')
    mkdirSync(bare)
    const ip = (await runProgram('sh', ['-c', 'command -v ip'])).stdout.trim()
    symlinkSync(ip, join(bare, 'ip'))
    host.close()
    host = openHost()
    process.env['PATH'] = bare
    assert.deepEqual((await observed('qrouter-b')).firewall, NO_FIREWALL)
    await assert.rejects(
      host.execute([{ kind: 'firewall-set', netns: 'qrouter-b', firewall: neutrons }]),
      /setting the firewall rules of qrouter-b: iptables is not installed: install the Debian package iptables/,
    )
  })
})
