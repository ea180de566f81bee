import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { inNamespace } from '../../src/host/netns.ts'
import { computeChecksums } from '../../src/host/offload.ts'
import { runProgram } from '../../src/host/programs.ts'
import { createDatabase } from '../ovsdb/ovsdb-server.ts'
import { eventually } from '../support/eventually.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'

/** Programs of one chassis. */
type Part = 'ovsdb-server' | 'ovs-vswitchd' | 'ovn-controller'

/** A machine with Open vSwitch (in userspace, so that no kernel module is needed) and ovn-controller. */
export interface Chassis {
  readonly name: string
  readonly machine: TestMachine
  /** The remote of its Open_vSwitch database. */
  readonly local: string
  vsctl(...args: readonly string[]): Promise<string>
  start(part: Part): Promise<void>
  kill(part: Part, signal?: NodeJS.Signals): Promise<void>
  /** Stops it as it is; `false` lets it go on. */
  freeze(part: Part, isFrozen: boolean): void
  /** Makes a guest: a namespace with `eth0` on a logical port. */
  plug(guest: GuestPort): Promise<void>
  unplug(name: string): Promise<void>
  /** Runs a program in a guest. @returns what it wrote, whatever its exit code */
  inGuest(name: string, ...command: readonly string[]): Promise<string>
  /** The same on the chassis itself. Unlike `machine.run` it lets this process serve meanwhile. */
  output(...command: readonly [string, ...string[]]): Promise<string>
}

export interface GuestPort {
  readonly name: string
  readonly logicalPort: string
  readonly mac: string
  /** `address/prefix`; none: `eth0` is left down, for a DHCP client to raise. */
  readonly cidrs: readonly string[]
}

const MTU = 1442 // what geneve leaves of 1500

export interface ChassisOptions {
  readonly name: string
  readonly directory: string
  readonly southbound: string
  /** Of the tunnels. */
  readonly address: string
}

export async function openChassis({ name, directory, southbound, address }: ChassisOptions): Promise<Chassis> {
  const machine = await openTestMachine()
  const run = join(directory, name)
  mkdirSync(run)
  const database = createDatabase(run, '/usr/share/openvswitch/vswitch.ovsschema', 'conf')
  const [socket, control] = [join(run, 'db.sock'), join(run, 'vswitchd.ctl')]
  const local = `unix:${socket}`
  const env = { ...process.env, OVS_RUNDIR: run, OVS_LOGDIR: run, OVS_DBDIR: run, OVN_RUNDIR: run, OVN_LOGDIR: run }
  const logging = (program: string) => [`--log-file=${join(run, `${program}.log`)}`, '-vconsole:off']
  const commands: Readonly<Record<Part, readonly string[]>> = {
    'ovsdb-server': [database, `--remote=punix:${socket}`, `--unixctl=${join(run, 'ovsdb.ctl')}`],
    'ovs-vswitchd': ['--disable-system', local, `--unixctl=${control}`, `--pidfile=${join(run, 'vswitchd.pid')}`],
    'ovn-controller': [local, `--pidfile=${join(run, 'ovn-controller.pid')}`],
  }
  const ready: Partial<Record<Part, string>> = { 'ovsdb-server': socket, 'ovs-vswitchd': control }
  const running = new Map<Part, ChildProcess>()

  const vsctl = async (...args: readonly string[]) =>
    (await runProgram('ovs-vsctl', [`--db=${local}`, '--timeout=20', ...args])).stdout.trim()
  const inside = (netns: string, act: () => void) =>
    inNamespace<void>(`/proc/${machine.pid}/root/run/netns/${netns}`, act)

  async function start(part: Part): Promise<void> {
    running.set(
      part,
      machine.start([part, ...commands[part], ...logging(part), '--no-chdir'], { env, stdio: 'ignore' }),
    )
    const socketOf = ready[part]
    if (socketOf !== undefined) await eventually(`${part} of ${name} listens`, () => existsSync(socketOf))
  }

  function signalTo(part: Part, signal: NodeJS.Signals): void {
    machine.run('sh', '-c', 'kill -s "$0" $(pgrep -x "$1")', signal.slice(3), part.slice(0, 15))
  }

  async function output(...command: readonly [string, ...string[]]): Promise<string> {
    const child = machine.start(command, { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    const take = (text: string) => {
      said += text
    }
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', take)
    await once(child, 'close')
    return said
  }

  async function plug({ name: guest, logicalPort, mac, cidrs }: GuestPort): Promise<void> {
    const tap = `tap-${guest}`
    const ip = (...args: string[]) => machine.run('ip', ...args)
    ip('netns', 'add', guest)
    ip(
      'link',
      'add',
      tap,
      'mtu',
      `${MTU}`,
      'type',
      'veth',
      'peer',
      'name',
      'eth0',
      'address',
      mac,
      'mtu',
      `${MTU}`,
      'netns',
      guest,
    )
    inNamespace<void>(`/proc/${machine.pid}/ns/net`, () => computeChecksums(tap))
    inside(guest, () => computeChecksums('eth0'))
    ip('link', 'set', tap, 'up')
    ip('-n', guest, 'link', 'set', 'lo', 'up')
    if (cidrs.length > 0) ip('-n', guest, 'link', 'set', 'eth0', 'up')
    for (const cidr of cidrs)
      ip('-n', guest, 'address', 'add', cidr, 'dev', 'eth0', ...(cidr.includes(':') ? ['nodad'] : []))
    // As OVN's DHCP has it, whose route is by the metadata port: that answers for the address on the link, too.
    if (cidrs.length > 0) ip('-n', guest, 'route', 'add', '169.254.169.254/32', 'dev', 'eth0')
    await vsctl('add-port', 'br-int', tap, '--', 'set', 'Interface', tap, `external_ids:iface-id=${logicalPort}`)
  }

  await start('ovsdb-server')
  await vsctl('--no-wait', 'init')
  const external = {
    'system-id': name, hostname: name, 'ovn-remote': southbound, 'ovn-encap-type': 'geneve', 'ovn-encap-ip': address,
    'ovn-bridge-datapath-type': 'netdev',
  } // biome-ignore format: a list
  const settings = Object.entries(external).map(([key, value]) => `external_ids:${key}="${value}"`)
  await vsctl('--no-wait', 'set', 'Open_vSwitch', '.', ...settings)
  return {
    name,
    machine,
    local,
    vsctl,
    start,
    async kill(part, signal = 'SIGKILL') {
      const child = running.get(part)
      if (child === undefined) return
      running.delete(part)
      const ended = once(child, 'exit')
      signalTo(part, signal)
      await ended
      if (ready[part] !== undefined) machine.run('rm', '-f', ready[part])
    },
    freeze: (part, isFrozen) => signalTo(part, isFrozen ? 'SIGSTOP' : 'SIGCONT'),
    plug,
    async unplug(guest) {
      await vsctl('--if-exists', 'del-port', `tap-${guest}`)
      machine.run('ip', 'netns', 'delete', guest)
    },
    inGuest: (guest, ...command) => output('ip', 'netns', 'exec', guest, ...command),
    output,
  }
}

/** Joins two chassis: a wire, and on each end a bridge of Open vSwitch with the tunnels' address on it. In userspace,
 *  packets of tunnels leave by no other way. */
export async function wire(a: Chassis, b: Chassis, addressOf: (chassis: Chassis) => string): Promise<void> {
  await joinByVeth(a, b, 'wire')
  await Promise.all(
    [a, b].map(async (chassis) => {
      const { machine } = chassis
      await addUserspaceBridge(chassis, 'br-phy', 'wire')
      machine.run('ip', 'address', 'add', `${addressOf(chassis)}/24`, 'dev', 'br-phy')
      machine.run('ip', 'link', 'set', 'br-phy', 'up')
    }),
  )
}

/** A veth pair with an end of this name on either chassis. */
export async function joinByVeth({ machine: a }: Chassis, { machine: b }: Chassis, device: string): Promise<void> {
  const ends = [`${device} netns ${a.pid} type veth`, `${device} netns ${b.pid}`].join(' peer name ')
  await runProgram('ip', ['link', 'add', ...ends.split(' ')])
  for (const { pid, run } of [a, b]) {
    inNamespace<void>(`/proc/${pid}/ns/net`, () => computeChecksums(device))
    run('ip', 'link', 'set', device, 'up')
  }
}

/** A bridge of Open vSwitch in userspace, with this device for a port. */
export async function addUserspaceBridge({ vsctl }: Chassis, bridge: string, device: string): Promise<void> {
  await vsctl('add-br', bridge, '--', 'set', 'bridge', bridge, 'datapath_type=netdev')
  await vsctl('add-port', bridge, device)
}
