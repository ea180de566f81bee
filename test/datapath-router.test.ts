import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { isAlive, processId } from '../src/host/process.ts'
import { captureProgram, runProgram } from '../src/host/programs.ts'
import { type Cidr, eui64Address, type IpAddress, unmapped } from '../src/inventory/records/address.ts'
import type { FloatingIp } from '../src/inventory/records/floating-ip.ts'
import type { NetworkId, SubnetId } from '../src/inventory/records/ids.ts'
import type { RecordSet } from '../src/inventory/records/records.ts'
import {
  NamespaceGuest,
  noSandbox,
  RecordsInHand,
  type RunningDatapath,
  startDatapath,
  temporaryDirectory,
} from './support/datapath-machine.ts'
import { eventually } from './support/eventually.ts'
import { kernelTurn } from './support/kernel-turn.ts'
import { aDhcpPort, aNetwork, aPort, aRouter, aRouterPort, aSubnet, byId } from './support/network-records.ts'

await kernelTurn()

// A router between two networks, with a third one outside, on the kernel of a sandbox.
//
//   red-guest          blue-guest         qrouter-77777777-7                    outside
//   eth0 10.0.0.7      eth0 10.1.0.7      qr-1: 10.0.0.1, fd00::1, fe80::...    eth0 203.0.113.1
//     | SLAAC            |                qr-2: 10.1.0.1                          |
//     |                  |                qg-:  203.0.113.5, .9 for red-guest     |
//   --|------------------|------------------|------------------------------------ |-
//   brqaaaaaaaa-1      brqbbbbbbbb-1       both, and brqcccccccc-1              brqcccccccc-1

const [A, B, X] = ['aaaaaaaa-1', 'bbbbbbbb-1', 'cccccccc-1'] as NetworkId[] as [NetworkId, NetworkId, NetworkId]
const ROUTER = '77777777-7'
const NETNS = `qrouter-${ROUTER}`
const ip = (text: string) => text as IpAddress

const subnets = [
  aSubnet('a4', '10.0.0.0/24', { networkId: A, gatewayIp: ip('10.0.0.1') }),
  aSubnet('a6', 'fd00::/64', { networkId: A, gatewayIp: ip('fd00::1'), ipv6AddressMode: 'slaac', ipv6RaMode: 'slaac' }),
  aSubnet('b4', '10.1.0.0/24', { networkId: B, gatewayIp: ip('10.1.0.1'), enableDhcp: false }),
  aSubnet('x4', '203.0.113.0/24', { networkId: X, gatewayIp: ip('203.0.113.1'), enableDhcp: false }),
]
const inA = { ...aRouterPort('11111111-1', 'a4=10.0.0.1', 'a6=fd00::1'), networkId: A, deviceId: ROUTER }
const inB = { ...aRouterPort('22222222-2', 'b4=10.1.0.1'), networkId: B, deviceId: ROUTER }
const redMac = aPort('33333333-3', []).macAddress
const redOwn = eui64Address('fd00::/64' as Cidr, redMac)
const red = { ...aPort('33333333-3', ['a4=10.0.0.7', `a6=${redOwn}`]), networkId: A }
const blue = { ...aPort('44444444-4', ['b4=10.1.0.7']), networkId: B }
const outer = { ...aPort('55555555-5', ['x4=203.0.113.1']), networkId: X }
const dhcp = { ...aDhcpPort('66666666-6', 'a4=10.0.0.2', 'a6=fd00::2'), networkId: A }
const floatingIp: FloatingIp = {
  id: 'f' as FloatingIp['id'],
  projectId: red.projectId,
  networkId: X,
  address: ip('203.0.113.9'),
  portId: red.id,
  fixedIpAddress: ip('10.0.0.7'),
}
const router = aRouter(ROUTER, {
  externalGateway: {
    networkId: X,
    enableSnat: true,
    fixedIps: [{ subnetId: 'x4' as SubnetId, ipAddress: ip('203.0.113.5') }],
  },
})
const records: Partial<RecordSet> = {
  network: byId([A, B, X].map((id) => aNetwork({ id }))),
  subnet: byId(subnets),
  router: byId([router]),
  port: byId([inA, inB, red, blue, outer, dhcp]),
  floating_ip: byId([floatingIp]),
}

describe('the router path on the kernel', { skip: noSandbox }, () => {
  const state = temporaryDirectory()
  const inventory = new RecordsInHand()
  const redGuest = new NamespaceGuest('red-guest', red, state.path)
  const blueGuest = new NamespaceGuest('blue-guest', blue, state.path)
  const outside = new NamespaceGuest('outside', outer, state.path)
  let datapath: RunningDatapath

  const give = async (guest: NamespaceGuest, address: string, gateway?: string) => {
    await guest.run('ip', 'address', 'add', `${address}/24`, 'dev', 'eth0')
    if (gateway !== undefined) await guest.run('ip', 'route', 'add', 'default', 'via', gateway)
  }
  const look = async () => {
    const report = await datapath.reconciler.look()
    assert.deepEqual(
      report.failed.map(({ cause }) => cause.message),
      [],
    )
    return report.done.map(({ command, reason }) => `${command.kind}: ${reason}`)
  }

  /** The kernel tells of changes of rules a moment later, our own too. */
  const comesToRest = async () => {
    for (const end = performance.now() + 5_000; ; await pause(20)) {
      const done = await look()
      if (done.length === 0) return
      assert.ok(performance.now() < end, done.join('\n'))
    }
  }

  before(async () => {
    inventory.change(records)
    datapath = startDatapath(inventory, state.path)
    const report = await datapath.reconciler.start()
    assert.deepEqual(
      report.failed.map(({ cause }) => cause.message),
      [],
    )
    await Promise.all([redGuest.plug(), blueGuest.plug(), outside.plug()])
    await give(redGuest, '10.0.0.7', '10.0.0.1')
    await give(blueGuest, '10.1.0.7', '10.1.0.1')
    await give(outside, '203.0.113.1')
  })

  after(async () => {
    await datapath.reconciler.teardown()
    await datapath.leave()
    await Promise.all([redGuest.remove(), blueGuest.remove(), outside.remove()])
    state.remove()
  })

  it('soon finds nothing to do', comesToRest)

  it('answers guests of both networks in the router’s name, with their own addresses', async () => {
    assert.equal(await seenAs(redGuest), `${ROUTER} 10.0.0.7`)
    assert.equal(await seenAs(blueGuest), `${ROUTER} 10.1.0.7`)
  })

  it('lets nobody reach the proxy’s port directly', async () => {
    await redGuest.run('ip', '-6', 'address', 'add', 'fd00::77/64', 'dev', 'eth0', 'nodad')
    const isDropped = (guest: NamespaceGuest, address: string) =>
      assert.rejects(guest.run('curl', '-sS', '-g', '--max-time', '1', `http://${address}:9697/`), /timed out/i)
    const inside = ['10.0.0.1', '10.1.0.1', '[fd00::1]']
    await Promise.all([...inside.map((address) => isDropped(redGuest, address)), isDropped(outside, '203.0.113.5')])
  })

  it('forwards between its networks, and to outside by its own address', async () => {
    await redGuest.run('busybox', 'ping', '-c', '1', '-W', '3', '10.1.0.7')
    await blueGuest.run('busybox', 'ping', '-c', '1', '-W', '3', '203.0.113.1')
  })

  it('makes a floating IP stand for its guest', async () => {
    await outside.run('busybox', 'ping', '-c', '1', '-W', '3', '203.0.113.9')
  })

  it('answers on IPv6 by the route it advertises, and knows the guest by its link-local address', async () => {
    // What a client does with the advertised route, which this kernel may leave alone.
    const gateway = eui64Address('fe80::/64' as Cidr, inA.macAddress)
    await redGuest.run('ip', 'route', 'add', 'fe80::a9fe:a9fe/128', 'via', gateway, 'dev', 'eth0')
    const own = eui64Address('fe80::/64' as Cidr, red.macAddress)
    // Until it has looked for duplicates of that one, the guest would ask from another.
    const isOwn = async () => {
      const { stdout } = await redGuest.run('ip', '-6', 'address', 'show', 'dev', 'eth0', '-tentative')
      return stdout.includes(own)
    }
    await eventually('the guest has its link-local address', isOwn)
    await eventuallyAnswers(redGuest, `${ROUTER} ${own}`)
    await redGuest.run('ip', 'route', 'delete', 'fe80::a9fe:a9fe/128', 'via', gateway, 'dev', 'eth0')
  })

  it('advertises the prefix: the guest makes its address', async () => {
    let shown = ''
    await redGuest.run('sysctl', '-qw', 'net.ipv6.conf.eth0.accept_ra=1')
    await redGuest.run('sh', '-c', 'ip link set eth0 down; ip link set eth0 up; ip route replace default via 10.0.0.1')
    const read = async () => {
      shown = (await redGuest.run('ip', '-6', 'address', 'show', 'dev', 'eth0')).stdout
      return shown.includes(redOwn)
    }
    for (const end = performance.now() + 15_000; !(await read()); ) assert.ok(performance.now() < end, shown)
  })

  const damages: readonly { readonly name: string; readonly damage: readonly string[]; readonly want: RegExp }[] = [
    {
      name: 'a rule is deleted',
      damage: ['iptables', '-t', 'nat', '-D', 'neutron-l3-agent-PREROUTING', '1'],
      want: /^firewall-set: IPv4 nat lacks `-A neutron-l3-agent-PREROUTING .* REDIRECT/,
    },
    {
      name: 'a rule is added',
      damage: ['iptables', '-I', 'neutron-l3-agent-INPUT', '-j', 'ACCEPT'],
      want: /^firewall-set: IPv4 filter has `-A neutron-l3-agent-INPUT -j ACCEPT` too much/,
    },
    {
      name: 'a table is flushed',
      damage: ['ip6tables', '-t', 'mangle', '-F'],
      want: /^firewall-set: IPv6 mangle lacks/,
    },
    {
      name: 'the default route is gone',
      damage: ['ip', 'route', 'del', 'default'],
      want: /^route-set: no default route/,
    },
    {
      name: 'forwarding is off',
      damage: ['sysctl', '-qw', 'net.ipv4.ip_forward=0'],
      want: /^sysctl-set: net.ipv4.ip_forward is 0/,
    },
    {
      name: 'an interface is down',
      damage: ['ip', 'link', 'set', 'qr-11111111-1', 'down'],
      want: /^device-set: .* is down/,
    },
  ]
  for (const { name, damage, want } of damages)
    it(`is repaired, and guests have their answer: ${name}`, async () => {
      const started = Date.now()
      await runProgram('ip', ['netns', 'exec', NETNS, ...damage])
      // The kernel tells of it a moment later, and then it may be another pass than ours that does it.
      const done = () =>
        (datapath.reconciler.state?.history.actionsOf(NETNS) ?? [])
          .filter(({ at }) => at >= started)
          .map(({ command, reason }) => `${command.kind}: ${reason}`)
      for (const end = performance.now() + 10_000; !done().some((one) => want.test(one)); await pause(20)) {
        assert.ok(performance.now() < end, done().join('\n') || 'nothing was done')
        await look()
      }
      assert.equal(await seenAs(redGuest), `${ROUTER} 10.0.0.7`)
      await comesToRest()
    })

  it('starts a killed radvd again', async () => {
    const pid = (await radvd()) ?? assert.fail('no radvd')
    const id = processId(pid) ?? assert.fail('radvd is not there')
    process.kill(pid, 'SIGKILL')
    await eventually('radvd is dead', () => !isAlive(id))
    const isRunning = (now: number | undefined) => now !== undefined && now !== pid
    const trouble = () => datapath.reconciler.state?.history.troubles.get(NETNS)?.cause.message ?? 'nothing fails'
    for (const end = performance.now() + 10_000; !isRunning(await radvd()); await pause(20))
      assert.ok(performance.now() < end, `${await radvd()} after ${pid}: ${trouble()}`)
  })

  it('is there without subnets, and gone with the router', async () => {
    inventory.change({ port: byId([red, blue, outer, dhcp]), floating_ip: new Map() })
    await look()
    const { stdout } = await captureProgram('ip', ['netns', 'exec', NETNS, 'ss', '-Hltn'])
    assert.match(stdout, /:9697/)
    inventory.change({ router: new Map() })
    await look()
    assert.ok(!(await runProgram('ip', ['netns', 'list'])).stdout.includes(NETNS))
  })

  /** As the next look finds it. */
  async function radvd(): Promise<number | undefined> {
    await datapath.reconciler.look()
    const programs = datapath.reconciler.state?.observed.namespaces.get(NETNS)?.programs ?? []
    return programs.find(({ kind }) => kind === 'radvd')?.pid
  }
})

/** In whose name, and by which address, a guest asks. */
async function seenAs(guest: NamespaceGuest): Promise<string> {
  const [stamp, address = ''] = (await guest.get('http://169.254.169.254/')).split(' ')
  return `${stamp} ${unmapped(address as IpAddress)}`
}

/** The address is tentative for a moment. */
async function eventuallyAnswers(guest: NamespaceGuest, want: string): Promise<void> {
  for (const end = performance.now() + 10_000; ; ) {
    const got = await guest.get('http://[fe80::a9fe:a9fe%25eth0]/').catch((error: unknown) => String(error))
    if (got === want) return
    assert.ok(performance.now() < end, got)
  }
}
