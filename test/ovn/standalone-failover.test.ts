import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { inNamespace } from '../../src/host/netns.ts'
import { computeChecksums } from '../../src/host/offload.ts'
import { runProgram } from '../../src/host/programs.ts'
import { type Daemon, firstboot, startDaemon } from '../support/daemon.ts'
import { noSandbox } from '../support/datapath-machine.ts'
import { eventually } from '../support/eventually.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'
import { addUserspaceBridge, type Chassis, joinByVeth, openChassis } from './chassis.ts'
import { type Cloud, openCloud } from './cloud.ts'

/*
 *   chassis-1, chassis-2: gateways         chassis-3: firstboot up, and the guest
 *        │ br-ex     │ br-ex                    │
 *        │           └────────── geneve ────────┤  with BFD in it, by a wire each to chassis-3
 *        ├── outside 203.0.113.1 ── …           │
 *        └────────────────────── geneve ────────┘
 *
 * Two chassis alone would not do: one that has no tunnel any more on which BFD is up takes itself for the one that is cut off,
 * and claims nothing (ovn-controller's ha_chassis_group_is_active).
 */

const INVENTORY = `
projects: [{ name: p }]
networks:
  - { name: public, project: p, router:external: true, mtu: 1400, subnets: [{ name: public4, cidr: 203.0.113.0/24, enable_dhcp: false }] }
  - { name: front, project: p, mtu: 1400, subnets: [{ name: front4, cidr: 10.0.0.0/24 }] }
routers:
  - name: edge
    project: p
    external_gateway_info: { network: public, external_fixed_ips: [{ subnet: public4, ip_address: 203.0.113.5 }] }
    interfaces: [front4]
servers:
  - { name: web, project: p, networks: [{ network: front, fixed_ip: 10.0.0.11 }], hypervisor: external }
floating_ips:
  - { floating_network: public, floating_ip_address: 203.0.113.80, server: web }
`

/** What BFD needs to notice that the other side is gone, as OVN sets it without being told: 1 s between packets at most, three
 *  lost. */
const NOTICED_MILLISECONDS = 30_000

describe('the gateway of firstboot up on OVN, when its chassis dies', { skip: noSandbox }, () => {
  let cloud: Cloud
  let up: Daemon
  let outside: TestMachine
  let guests: Chassis
  let active: Chassis
  let standby: Chassis

  before(async () => {
    ;[cloud, outside] = await Promise.all([openCloud(), openTestMachine()])
    outside.run('ip', 'link', 'add', 'br0', 'type', 'bridge')
    outside.run('ip', 'address', 'add', '203.0.113.1/24', 'dev', 'br0')
    outside.run('ip', 'link', 'set', 'br0', 'up')
    guests = await addChassis(cloud)
    for (const chassis of cloud.chassis) await joinOutside(chassis, outside)
    const state = join(cloud.directory, 'state')
    const file = join(cloud.directory, 'inventory.yaml')
    writeFileSync(file, INVENTORY)
    const remotes = [`--ovsdb-connection=${guests.local}`, `--ovn-nb-connection=unix:${cloud.directory}/nb.sock`]
    up = startDaemon(guests.machine, 'up', '--datapath=ovn', `--file=${file}`, `--state-dir=${state}`, ...remotes)
    await up.saying('firstboot is up')
    await eventually('a chassis has the gateway', async () => (await gatewayOn()) !== '')
    const name = await gatewayOn()
    active = cloud.chassis.find((each) => each.name === name) ?? assert.fail(name)
    standby = cloud.chassis.find((each) => each !== active) ?? assert.fail()
    const [port] = JSON.parse(guests.machine.run(...firstboot('list', 'ports', '--json', '-s', state))).filter(
      ({ fixed_ips }: { fixed_ips: { ip_address: string }[] }) => fixed_ips[0]?.ip_address === '10.0.0.11',
    )
    await guests.plug({ name: 'web', logicalPort: port.id, mac: port.mac_address, cidrs: ['10.0.0.11/24'] })
    guests.machine.run('ip', '-n', 'web', 'route', 'add', 'default', 'via', '10.0.0.1')
    serve(guests.machine, 'web', 'ip', 'netns', 'exec', 'web')
    serve(outside, 'outside')
  })
  after(async () => {
    await up?.end('SIGINT')
    await Promise.all([guests?.machine.stop(), outside?.stop()])
    await cloud?.close()
  })

  /** A web page that says whose it is. */
  function serve(machine: TestMachine, whose: string, ...within: readonly string[]): void {
    const root = join(cloud.directory, whose)
    mkdirSync(root)
    writeFileSync(join(root, 'index.html'), whose)
    const server = ['busybox', 'httpd', '-f', '-p', '80', '-h', root]
    machine.start(['env', ...within, ...server], { stdio: 'ignore' })
  }

  /** The name of the chassis that has the gateway. */
  async function gatewayOn(): Promise<string> {
    const uuid = await cloud.sb('--bare', '--columns=chassis', 'find', 'Port_Binding', 'type=chassisredirect')
    return uuid === '' ? '' : await cloud.sb('--bare', '--columns=name', 'list', 'Chassis', uuid)
  }

  const page = ['curl', '-sS', '--max-time', '1'] as const
  const out = () => guests.inGuest('web', ...page, 'http://203.0.113.1/')
  async function back(): Promise<string> {
    const child = outside.start([...page, 'http://203.0.113.80/'], { stdio: ['ignore', 'pipe', 'ignore'] })
    return child.stdout === null ? '' : await text(child.stdout)
  }
  const both = async () => (await Promise.all([out(), back()])).join() === 'outside,web'
  /** What BFD says of the tunnels of the guest's chassis to each of the others, by remote address. */
  async function bfd(): Promise<string> {
    const rows = ['--columns=options,bfd_status', 'find', 'Interface', 'type=geneve']
    return await guests.vsctl('--bare', ...rows)
  }

  it('is on one of two chassis, which are watched by BFD', async () => {
    await eventually('the guest gets out, and in', both, NOTICED_MILLISECONDS)
    await eventually('BFD is up', async () => (await bfd()).match(/ state=up/g)?.length === 2, NOTICED_MILLISECONDS)
    const priorities = await cloud.nb('--bare', '--columns=priority', 'list', 'Gateway_Chassis')
    assert.deepEqual(priorities.split(/\s+/).filter(Boolean).sort(), ['1', '2'])
  })

  it('stays, and leads on, when ovn-controller dies there', async () => {
    await active.kill('ovn-controller')
    try {
      await eventually('the guest gets out, and in', both, NOTICED_MILLISECONDS)
      await eventually('it is the same', async () => (await gatewayOn()) === active.name)
    } finally {
      await active.start('ovn-controller')
    }
  })

  it('is taken over by the other when ovs-vswitchd dies there, and leads the guest out and in again', async (t) => {
    await active.kill('ovs-vswitchd')
    const began = performance.now()
    await eventually('the guest gets out, and in', both, NOTICED_MILLISECONDS)
    t.diagnostic(`after ${Math.round(performance.now() - began)} ms`)
    await eventually('it is the other', async () => (await gatewayOn()) === standby.name)
    assert.match(await bfd(), / state=down/)
  })

  it('goes back when the first choice is there again', async () => {
    await active.start('ovs-vswitchd')
    await eventually('it is back', async () => (await gatewayOn()) === active.name, NOTICED_MILLISECONDS)
    await eventually('the guest gets out, and in', both, NOTICED_MILLISECONDS)
  })
})

/** A third chassis, through which the others' tunnels go, too: it is never killed. */
async function addChassis({ chassis: others, directory, southbound }: Cloud): Promise<Chassis> {
  const address = '192.0.2.3'
  const added = await openChassis({ name: 'chassis-3', directory, southbound: southbound.remote, address })
  await added.start('ovs-vswitchd')
  await others[0].vsctl('del-port', 'br-phy', 'wire')
  await added.vsctl('add-br', 'br-phy', '--', 'set', 'bridge', 'br-phy', 'datapath_type=netdev')
  for (const other of others) {
    const device = `to-${other.name}`
    await joinByVeth(other, added, device)
    for (const { vsctl } of [other, added]) await vsctl('add-port', 'br-phy', device)
  }
  added.machine.run('ip', 'address', 'add', `${address}/24`, 'dev', 'br-phy')
  added.machine.run('ip', 'link', 'set', 'br-phy', 'up')
  await added.start('ovn-controller')
  return added
}

/** The physical network `public`, plugged into a bridge of the world outside. */
async function joinOutside(chassis: Chassis, { pid, run }: TestMachine): Promise<void> {
  const device = `to-${chassis.name}`
  const ends = `x-outside netns ${chassis.machine.pid} type veth peer name ${device} netns ${pid}`
  await runProgram('ip', ['link', 'add', ...ends.split(' ')])
  inNamespace<void>(`/proc/${chassis.machine.pid}/ns/net`, () => computeChecksums('x-outside'))
  inNamespace<void>(`/proc/${pid}/ns/net`, () => computeChecksums(device))
  chassis.machine.run('ip', 'link', 'set', 'x-outside', 'up')
  run('ip', 'link', 'set', device, 'master', 'br0', 'up')
  await addUserspaceBridge(chassis, 'br-ex', 'x-outside')
  await chassis.vsctl('set', 'Open_vSwitch', '.', 'external_ids:ovn-bridge-mappings=public:br-ex')
}
