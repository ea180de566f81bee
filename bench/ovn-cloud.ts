import { join } from 'node:path'
import { runProgram } from '../src/host/programs.ts'
import type { Chassis } from '../test/ovn/chassis.ts'
import { type Cloud, openCloud } from '../test/ovn/cloud.ts'

// What both agents find: on each of two chassis a network of 50 ports that are bound there, and networks whose one port is not
// bound yet. All of it is OVN's own doing: northd has made the rows, ovn-controllers have bound the ports. Those follow the whole
// Southbound, as OVN advises for large clouds: with conditions, each change of theirs keeps the server busy for half a second at
// 100,000 rows, and that would be what is measured.

const GUESTS = 50
/** Provisioned one after the other. */
export const FRESH = 20

/** A network whose guest is about to come. */
export interface FreshNetwork {
  readonly id: string
  /** Its one guest's port, and address. */
  readonly port: string
  readonly mac: string
  readonly address: string
}

/** What is on, or for, one chassis. */
export interface Place {
  readonly chassis: Chassis
  /** A network with guests here. */
  readonly network: string
  /** Of one of those guests. */
  readonly address: string
  readonly instance: string
  /** What the names of those guests' ports begin with. */
  readonly prefix: string
  readonly fresh: readonly FreshNetwork[]
}

export interface BenchCloud extends Cloud {
  readonly places: readonly [Place, Place]
}

export async function openBenchCloud(): Promise<BenchCloud> {
  const cloud = await openCloud()
  const [one, two] = cloud.chassis
  for (const { vsctl } of cloud.chassis) await vsctl('set', 'Open_vSwitch', '.', 'external_ids:ovn-monitor-all=true')
  const places = [await furnish(cloud, one, 1), await furnish(cloud, two, 2)] as const
  await cloud.sync()
  // northd would take away rows that it has not made.
  await runProgram('ovn-appctl', ['-t', join(cloud.directory, 'northd.ctl'), 'exit'])
  return { ...cloud, places }
}

async function furnish(cloud: Cloud, chassis: Chassis, number: number): Promise<Place> {
  const network = networkId(number, 0)
  const prefix = `guest-${number}-`
  await addNetwork(cloud, network)
  for (let i = 0; i < GUESTS; i += 1)
    await addPort(cloud, network, { port: `${prefix}${i}`, mac: macOf(number, i), address: `10.0.0.${10 + i}` })
  const plugs = Array.from({ length: GUESTS }, (_, i) => plug(`vm${number}-${i}`, `${prefix}${i}`))
  await chassis.vsctl(...plugs.flat())
  const fresh = Array.from({ length: FRESH }, (_, i) => ({
    id: networkId(number, i + 1),
    port: `fresh-${number}-${i}`,
    mac: macOf(number, GUESTS + i),
    address: '10.0.0.10',
  }))
  for (const one of fresh) {
    await addNetwork(cloud, one.id)
    await addPort(cloud, one.id, one)
  }
  return { chassis, network, address: '10.0.0.10', instance: `instance-${prefix}0`, prefix, fresh }
}

function plug(device: string, logicalPort: string): readonly string[] {
  return [
    '--',
    'add-port',
    'br-int',
    device,
    '--',
    'set',
    'Interface',
    device,
    'type=internal',
    `external_ids:iface-id=${logicalPort}`,
  ]
}

const addNetwork = (cloud: Cloud, id: string) =>
  cloud.addNetwork({ id, cidrs: '10.0.0.2/24', mac: `fa:16:3e:ff:${id.slice(0, 2)}:${id.slice(2, 4)}` })

const addPort = (cloud: Cloud, network: string, { port, mac, address }: Omit<FreshNetwork, 'id'>) =>
  cloud.addPort({
    network,
    id: port,
    mac,
    cidrs: `${address}/24`,
    instance: `instance-${port}`,
    project: 'ac25d9f8bd1640128f7c24b5e2a3f0aa',
  })

/** Different in the first characters, of which neutron's agent makes the names of devices. */
function networkId(chassis: number, number: number): string {
  return `${hex(chassis)}${hex(number)}0000-0000-4000-8000-00000000000${chassis}`
}

function macOf(chassis: number, number: number): string {
  return `fa:16:3e:00:${hex(chassis)}:${hex(number)}`
}

function hex(number: number): string {
  return number.toString(16).padStart(2, '0')
}
