import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { runProgram } from '../src/host/programs.ts'
import { type Cidr, eui64Address, type IpAddress, type MacAddress } from '../src/inventory/records/address.ts'
import type { NetworkId } from '../src/inventory/records/ids.ts'
import { type Port, tapName } from '../src/inventory/records/port.ts'
import {
  NamespaceGuest,
  noSandbox,
  RecordsInHand,
  type RunningDatapath,
  startDatapath,
  temporaryDirectory,
} from './support/datapath-machine.ts'
import { eventually } from './support/eventually.ts'
import { arp, ethernet, icmpv6, tagged, udp, Wire } from './support/frames.ts'
import { aDhcpPort, aNetwork, aPort, aSubnet, byId } from './support/network-records.ts'

// What a guest can send as, on the kernel of a sandbox. All are on one network but the last, whose range is the same.
//
//   mallory    alice      trusted    shared                     qdhcp-aaaaaaaa-1    stranger (network b)
//   10.0.0.6   10.0.0.7   10.0.0.8   10.0.0.9                   10.0.0.2            10.0.0.7
//   fd00::6    fd00::7    no port    and 10.0.0.100,            169.254.169.254
//                         security   10.5.0.0/16, fd05::/64     fe80::a9fe:a9fe

const RED = 'aaaaaaaa-1' as NetworkId
const BLUE = 'bbbbbbbb-1' as NetworkId
const V4 = aSubnet('aaaaaaaa-4', '10.0.0.0/24', { networkId: RED, gatewayIp: '10.0.0.1' as IpAddress })
const V6 = aSubnet('aaaaaaaa-6', 'fd00::/64', { networkId: RED, ipv6AddressMode: 'dhcpv6-stateful' })
const OTHER = aSubnet('bbbbbbbb-4', '10.0.0.0/24', { networkId: BLUE })

function red(letter: string, number: number, fields: Partial<Port> = {}): Port {
  const addresses = [`${V4.id}=10.0.0.${number}`, `${V6.id}=fd00::${number}`]
  return aPort(`aaaaaaaa-${letter}`, addresses, { networkId: RED, ...fields })
}

const VIRTUAL = '00:00:5e:00:01:0a' as MacAddress
const dhcp = { ...aDhcpPort('aaaaaaaa-d', `${V4.id}=10.0.0.2`, `${V6.id}=fd00::2`), networkId: RED }
const mallory = red('m', 6)
const alice = red('a', 7)
const trusted = red('t', 8, { portSecurityEnabled: false })
const shared = red('s', 9, {
  allowedAddressPairs: [
    { ipAddress: '10.0.0.100' as IpAddress, macAddress: VIRTUAL },
    { ipAddress: '10.5.0.0/16' as Cidr, macAddress: null },
    { ipAddress: '10.5.1.0/24' as Cidr, macAddress: null },
    { ipAddress: 'fd05::/64' as Cidr, macAddress: null },
  ],
})
const stranger = { ...aPort('bbbbbbbb-s', [`${OTHER.id}=10.0.0.7`]), networkId: BLUE }
const blueDhcp = { ...aDhcpPort('bbbbbbbb-d', `${OTHER.id}=10.0.0.2`), networkId: BLUE }

const PORTS = [dhcp, mallory, alice, trusted, shared, stranger, blueDhcp]

function recordsOf(ports: readonly Port[]) {
  return {
    network: byId([aNetwork({ id: RED }), aNetwork({ id: BLUE })]),
    subnet: byId([V4, V6, OTHER]),
    port: byId(ports),
  }
}

const ip = (text: string) => text as IpAddress
const GATEWAY = ip('10.0.0.1')
const METADATA = ip('169.254.169.254')
const linkLocal = (port: Port) => eui64Address('fe80::/64' as Cidr, port.macAddress)
const M = mallory.macAddress
const A = alice.macAddress
const announcement = (mac: MacAddress, address: IpAddress) => arp(mac, { mac, ip: address }, address)

interface Row {
  readonly name: string
  readonly from: Port
  readonly frame: Buffer
  readonly passes: boolean
}

const pass = (name: string, frame: Buffer, from = mallory): Row => ({ name, frame, from, passes: true })
const drop = (name: string, frame: Buffer, from = mallory): Row => ({ name, frame, from, passes: false })

const ROWS: readonly Row[] = [
  pass('its own address', udp(M, ip('10.0.0.6'), ip('10.0.0.255'), [1_000, 2_000])),
  drop('a neighbour’s address', udp(M, ip('10.0.0.7'), ip('10.0.0.255'), [1_000, 2_000])),
  drop('a neighbour’s MAC and address', udp(A, ip('10.0.0.7'), ip('10.0.0.255'), [1_000, 2_000])),
  drop('a neighbour’s MAC with its own address', udp(A, ip('10.0.0.6'), ip('10.0.0.255'), [1_000, 2_000])),
  drop('an address of nobody', udp(M, ip('10.0.0.77'), ip('10.0.0.255'), [1_000, 2_000])),
  drop('the metadata address', udp(M, METADATA, ip('10.0.0.255'), [80, 2_000])),
  drop('no address, and not DHCP', udp(M, ip('0.0.0.0'), ip('10.0.0.255'), [1_000, 2_000])),
  pass('no address, and DHCP', udp(M, ip('0.0.0.0'), ip('255.255.255.255'), [68, 67])),
  drop('a DHCP reply', udp(M, ip('10.0.0.6'), ip('255.255.255.255'), [67, 68])),
  drop('a DHCP reply from an odd port', udp(M, ip('10.0.0.6'), ip('255.255.255.255'), [1_000, 68])),
  pass('ARP for its own address', announcement(M, ip('10.0.0.6'))),
  pass('ARP probe for its own address', arp(M, { mac: M, ip: ip('0.0.0.0') }, ip('10.0.0.6'))),
  drop('ARP probe that contests a neighbour’s address', arp(M, { mac: M, ip: ip('0.0.0.0') }, ip('10.0.0.7'))),
  drop('gratuitous ARP for the gateway', announcement(M, GATEWAY)),
  drop('ARP reply for the gateway', arp(M, { mac: M, ip: GATEWAY }, ip('10.0.0.7'), 'reply')),
  drop('gratuitous ARP for the metadata address', announcement(M, METADATA)),
  drop('ARP of its own address with a neighbour’s MAC inside', arp(M, { mac: A, ip: ip('10.0.0.6') }, GATEWAY)),
  drop('ARP in a frame of a neighbour', arp(A, { mac: A, ip: ip('10.0.0.7') }, GATEWAY)),
  drop('ARP for the gateway under a priority tag', tagged(announcement(M, GATEWAY), 0)),
  drop('… of a provider', tagged(announcement(M, GATEWAY), 0, 0x88a8)),
  drop('… twice', tagged(tagged(announcement(M, GATEWAY), 0), 0)),
  pass('something of its own in a VLAN', tagged(announcement(M, ip('10.0.0.6')), 7)),
  drop('a VLAN with a neighbour’s MAC', tagged(announcement(A, ip('10.0.0.6')), 7)),
  pass('another protocol', ethernet(M, 0x88b5, Buffer.from('local experiment'))),
  drop('another protocol with a neighbour’s MAC', ethernet(A, 0x88b5, Buffer.from('local experiment'))),
  pass('its own IPv6 address', udp(M, ip('fd00::6'), ip('ff02::1'), [1_000, 2_000])),
  pass('its link-local address', udp(M, linkLocal(mallory), ip('ff02::1'), [1_000, 2_000])),
  drop('a neighbour’s IPv6 address', udp(M, ip('fd00::7'), ip('ff02::1'), [1_000, 2_000])),
  drop('a neighbour’s link-local address', udp(M, linkLocal(alice), ip('ff02::1'), [1_000, 2_000])),
  drop('the IPv6 metadata address', udp(M, ip('fe80::a9fe:a9fe'), ip('ff02::1'), [80, 2_000])),
  drop('a DHCPv6 reply', udp(M, linkLocal(mallory), ip('ff02::1'), [547, 546])),
  drop('a router advertisement', icmpv6(M, linkLocal(mallory), 134)),
  drop('… behind a header of options', icmpv6(M, linkLocal(mallory), 134, { hasOptions: true })),
  pass('a router solicitation', icmpv6(M, linkLocal(mallory), 133)),
  pass('… without an address', icmpv6(M, ip('::'), 133)),
  pass('a multicast report without an address', icmpv6(M, ip('::'), 143, { hasOptions: true })),
  drop('an echo request without an address', icmpv6(M, ip('::'), 128)),
  pass('duplicate detection', icmpv6(M, ip('::'), 135, { target: ip('fd00::6') })),
  pass('… of the link-local address', icmpv6(M, ip('::'), 135, { target: linkLocal(mallory) })),
  drop('a claim to a neighbour’s address', icmpv6(M, ip('::'), 135, { target: ip('fd00::7') })),
  pass('who has a neighbour’s address', icmpv6(M, ip('fd00::6'), 135, { target: ip('fd00::7') })),
  pass('advertisement of its own address', icmpv6(M, ip('fd00::6'), 136, { target: ip('fd00::6') })),
  pass('… from its link-local one', icmpv6(M, linkLocal(mallory), 136, { target: ip('fd00::6') })),
  drop('advertisement of a neighbour’s address', icmpv6(M, linkLocal(mallory), 136, { target: ip('fd00::7') })),
  drop('… of the metadata address', icmpv6(M, ip('fd00::6'), 136, { target: ip('fe80::a9fe:a9fe') })),
  drop('… behind a header of options', icmpv6(M, ip('fd00::6'), 136, { target: ip('fd00::7'), hasOptions: true })),
  pass('without port security, a neighbour’s', udp(A, ip('10.0.0.7'), ip('10.0.0.255'), [1, 2]), trusted),
  pass('a virtual address', announcement(VIRTUAL, ip('10.0.0.100')), shared),
  pass('an address of an allowed range', udp(shared.macAddress, ip('10.5.1.9'), ip('10.0.0.255'), [1, 2]), shared),
  pass('ARP for one', announcement(shared.macAddress, ip('10.5.255.255')), shared),
  drop('one beside the range', udp(shared.macAddress, ip('10.6.0.0'), ip('10.0.0.255'), [1, 2]), shared),
  pass(
    'advertisement of an allowed range',
    icmpv6(shared.macAddress, ip('fd05::1'), 136, { target: ip('fd05::2') }),
    shared,
  ),
  drop('… beside it', icmpv6(shared.macAddress, ip('fd05::1'), 136, { target: ip('fd05:0:0:1::2') }), shared),
  drop('a neighbour of one with ranges', udp(shared.macAddress, ip('10.0.0.7'), ip('10.0.0.255'), [1, 2]), shared),
]

describe('port security on the kernel', { skip: noSandbox }, () => {
  const state = temporaryDirectory()
  const inventory = new RecordsInHand()
  const guests = new Map(
    [mallory, alice, trusted, shared, stranger].map((port) => [
      port,
      new NamespaceGuest(`guest-${port.id}`, port, state.path),
    ]),
  )
  const guest = (port: Port) => guests.get(port) ?? assert.fail()
  const wires = new Map<Port, Wire>()
  const wire = (port: Port) => wires.get(port) ?? assert.fail()
  let datapath: RunningDatapath
  let table = ''

  before(async () => {
    inventory.change(recordsOf(PORTS))
    await nft('add', 'table', 'bridge', 'firstboot-of-others')
    datapath = startDatapath(inventory, state.path)
    assert.deepEqual((await datapath.reconciler.start()).failed, [])
    table = (await tables()).find((name) => name !== 'firstboot-of-others') ?? assert.fail('there is no table')
    await Promise.all([...guests.values()].map((each) => each.plug()))
    for (const [port, { netns }] of guests) wires.set(port, new Wire(netns))
  })

  after(async () => {
    for (const each of wires.values()) each.close()
    await datapath.leave()
    await Promise.all([...guests.values()].map((each) => each.remove()))
    state.remove()
  })

  let rounds = 0
  /** Whether a frame gets from one guest to another: it does so before one that is sent behind it, or never. */
  async function arrives(frame: Buffer, from: Port, to = alice, markerFrom = from): Promise<boolean> {
    rounds += 1
    const marker = ethernet(markerFrom.macAddress, 0x88b6, Buffer.from(`end of round ${rounds} `))
    const heard: Buffer[] = []
    wire(from).send(frame)
    wire(markerFrom).send(marker)
    await eventually('the frame behind it is heard', () => {
      heard.push(...wire(to).heard())
      return heard.some((each) => isSame(each, marker))
    })
    return heard.some((each) => isSame(each, frame))
  }

  it('finds nothing to do the second time', async () => {
    assert.deepEqual(await datapath.reconciler.look(), { done: [], failed: [] })
  })

  describe('lets a guest send, or not', () => {
    for (const { name, from, frame, passes } of ROWS)
      it(name, async () => assert.equal(await arrives(frame, from), passes))

    it('and nothing else would have stopped those that it stops', async () => {
      for (const { name, frame, passes } of ROWS) if (!passes) assert.ok(await arrives(frame, trusted), name)
    })
  })

  it('does not let the bridge learn a neighbour’s MAC address from a control frame', async () => {
    const LLDP = '01:80:c2:00:00:0e' as MacAddress
    const stolen = 'fa:16:3e:99:99:99' as MacAddress
    const control = (mac: MacAddress) => ethernet(mac, 0x88cc, Buffer.from([0, 0]), LLDP)
    wire(mallory).send(control(stolen))
    const { stdout } = await runProgram('bridge', ['fdb', 'show', 'br', 'brqaaaaaaaa-1'])
    assert.ok(stdout.includes(`${trusted.macAddress} dev ${tapName(trusted)}`), stdout)
    assert.ok(!stdout.includes(stolen), stdout)
  })

  it('lets DHCP clients have their leases', async () => {
    const own = guest(mallory)
    assert.equal((await own.requestLease()).ip, '10.0.0.6/24')
    const files = ['-lf', `${state.path}/dhclient.leases`, '-pf', `${state.path}/dhclient.pid`]
    // Its script would write /etc/resolv.conf of the machine.
    await own.run('dhclient', '-1', '-sf', '/bin/true', ...files, 'eth0')
    assert.match(readFileSync(`${state.path}/dhclient.leases`, 'utf8'), /fixed-address 10\.0\.0\.6;/)
    // It goes on in the background, and tells its number in its own time.
    const pid = `${state.path}/dhclient.pid`
    await eventually('dhclient has written its pid', () => existsSync(pid) && readFileSync(pid, 'utf8') !== '')
    process.kill(Number(readFileSync(pid, 'utf8')))
    for (const port of [alice, stranger]) await guest(port).requestLease()
  })

  it('answers each guest, on each network, by its own address', async () => {
    const url = 'http://169.254.169.254/'
    assert.equal(await guest(mallory).get(url), 'aaaaaaaa-1 10.0.0.6')
    assert.equal(await guest(alice).get(url), 'aaaaaaaa-1 10.0.0.7')
    assert.equal(await guest(stranger).get(url), 'bbbbbbbb-1 10.0.0.7')
  })

  it('lets a guest detect duplicates and ask by IPv6', async () => {
    const own = guest(mallory)
    await own.run('ip', 'address', 'add', 'fd00::6/64', 'dev', 'eth0')
    let shown = 'tentative'
    for (const end = performance.now() + 15_000; shown.includes('tentative'); ) {
      assert.ok(performance.now() < end, shown)
      shown = (await own.run('ip', '-6', 'address', 'show', 'dev', 'eth0')).stdout
    }
    assert.ok(shown.includes('fd00::6/64') && !shown.includes('dadfailed'), shown)
    assert.equal(await own.get('http://[fe80::a9fe:a9fe%25eth0]/'), `aaaaaaaa-1 ${linkLocal(mallory)}`)
  })

  /** Steps with `ip` that a guest takes to be another, and what it then asks with. */
  const masks = [
    {
      name: 'its address',
      steps: ['address flush dev eth0', 'address add 10.0.0.7/24 dev eth0', 'route add 169.254.169.254 via 10.0.0.2'],
      ask: ['http://169.254.169.254/'],
    },
    {
      name: 'its MAC address too',
      steps: [`link set eth0 address ${alice.macAddress}`],
      ask: ['http://169.254.169.254/'],
    },
    {
      name: 'its link-local address',
      steps: [
        `link set eth0 address ${M}`,
        '-6 address flush dev eth0',
        `address add ${linkLocal(alice)}/64 dev eth0 nodad`,
      ],
      ask: ['http://[fe80::a9fe:a9fe%25eth0]/'],
    },
  ]
  for (const { name, steps, ask } of masks)
    it(`keeps a guest that takes a neighbour’s place from that one’s metadata: ${name}`, async () => {
      for (const step of steps) await guest(mallory).run('ip', ...step.split(' '))
      await assert.rejects(guest(mallory).run('curl', '-sS', '--globoff', '--max-time', '1', ...ask), /timed out/)
      assert.equal(await guest(alice).get('http://169.254.169.254/'), 'aaaaaaaa-1 10.0.0.7')
    })

  describe('repairs within two seconds what was changed by hand', () => {
    const spoof = udp(M, ip('10.0.0.7'), ip('10.0.0.255'), [1_000, 2_000])
    const honest = udp(M, ip('10.0.0.6'), ip('10.0.0.255'), [1_000, 2_000])
    const damages: readonly { readonly name: string; readonly damage: () => Promise<unknown> }[] = [
      { name: 'the table is deleted', damage: () => nft('delete', 'table', 'bridge', table) },
      { name: 'its chains are flushed', damage: () => nft('flush', 'table', 'bridge', table) },
      { name: 'a rule is put before them', damage: () => nft('insert', 'rule', 'bridge', table, 'guest', 'accept') },
      { name: 'a set is emptied', damage: () => nft('flush', 'set', 'bridge', table, 'ports') },
      {
        name: 'an address is added',
        damage: () =>
          nft('add', 'element', 'bridge', table, 'ipv4', '{', `"${tapName(mallory)}"`, '.', '10.0.0.7', '}'),
      },
      { name: 'it is switched off', damage: () => nft('add', 'table', 'bridge', table, '{', 'flags', 'dormant;', '}') },
    ]
    for (const { name, damage } of damages)
      it(name, async () => {
        await damage()
        const end = performance.now() + 2_000
        while ((await arrives(spoof, mallory, alice, trusted)) || !(await arrives(honest, mallory, alice, trusted))) {
          assert.ok(performance.now() < end, 'it is not repaired')
          await pause(20)
        }
        await datapath.reconciler.look()
        assert.deepEqual(await datapath.reconciler.look(), { done: [], failed: [] })
      })
  })

  it('follows a port: another address, no port security, and gone', async () => {
    const moved = { ...mallory, fixedIps: [{ subnetId: V4.id, ipAddress: ip('10.0.0.66') }] }
    const asMoved = udp(M, ip('10.0.0.66'), ip('10.0.0.255'), [1_000, 2_000])
    const asAlice = udp(M, ip('10.0.0.7'), ip('10.0.0.255'), [1_000, 2_000])
    const others = PORTS.filter((port) => port !== mallory)
    const change = async (ports: readonly Port[]) => {
      inventory.change(recordsOf(ports))
      assert.deepEqual((await datapath.reconciler.look()).failed, [])
    }
    await change([...others, moved])
    assert.ok(await arrives(asMoved, mallory))
    assert.ok(!(await arrives(asAlice, mallory)))
    await change([...others, { ...moved, portSecurityEnabled: false }])
    assert.ok(await arrives(asAlice, mallory))
    await change([...others, moved])
    // A guest that is still there when its port is deleted must not become anybody.
    await change(others)
    assert.ok(!(await arrives(asMoved, mallory, alice, trusted)))
    assert.ok(!(await arrives(asAlice, mallory, alice, trusted)))
    assert.match((await nft('list', 'set', 'bridge', table, 'ports')).stdout, new RegExp(tapName(mallory)))
    await guest(mallory).remove()
    await datapath.reconciler.look()
    assert.doesNotMatch((await nft('list', 'set', 'bridge', table, 'ports')).stdout, new RegExp(tapName(mallory)))
    assert.deepEqual(await datapath.reconciler.look(), { done: [], failed: [] })
  })

  it('is left by one run to the next, unchanged', async () => {
    await datapath.leave()
    datapath = startDatapath(inventory, state.path)
    const { done } = await datapath.reconciler.start()
    assert.deepEqual(
      done.filter(({ where }) => where === table),
      [],
    )
  })

  it('has a table for each state directory, and takes down only its own', async () => {
    const other = temporaryDirectory()
    const records = new RecordsInHand()
    records.change({ ...recordsOf([]), port: new Map([[alice.id, alice]]) })
    const neighbour = startDatapath(records, other.path)
    await neighbour.reconciler.look()
    assert.equal((await tables()).length, 3)
    assert.deepEqual(await datapath.reconciler.look(), { done: [], failed: [] })
    await neighbour.reconciler.teardown()
    await neighbour.leave()
    other.remove()
    assert.deepEqual((await tables()).toSorted(), [table, 'firstboot-of-others'].toSorted())
    await datapath.reconciler.teardown()
    assert.deepEqual(await tables(), ['firstboot-of-others'])
  })
})

function nft(...args: readonly string[]) {
  return runProgram('nft', args)
}

/** Of the bridge family. */
async function tables(): Promise<readonly string[]> {
  const { stdout } = await nft('list', 'tables', 'bridge')
  return [...stdout.matchAll(/^table bridge (\S+)$/gm)].map(([, name = '']) => name)
}

/** The kernel takes one tag off. */
function isSame(heard: Buffer, sent: Buffer): boolean {
  const isTagged = [0x8100, 0x88a8].includes(sent.readUInt16BE(12))
  const bare = isTagged ? Buffer.concat([sent.subarray(0, 12), sent.subarray(16)]) : sent
  return heard.equals(sent) || heard.equals(bare)
}
