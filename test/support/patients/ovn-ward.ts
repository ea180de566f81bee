import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Chassis } from '../../ovn/chassis.ts'
import { type Cloud, openCloud } from '../../ovn/cloud.ts'
import { type Nova, openNova, SECRET } from '../../ovn/nova.ts'
import { type Daemon, firstboot, startDaemon } from '../daemon.ts'
import { type Explained, readExplained } from './explained.ts'
import { wakeChildren } from './ward.ts'

/*
 *   chassis-1:  firstboot up --datapath ovn        shop-1, shop-2 (network shop), yard-1 (network yard); far (of Neutron’s)
 *   chassis-2:  firstboot ovn-metadata-agent       red-1, red-2 (network red), blue-1 (network blue); on network six:
 *                                                  six-1 (IPv6 alone), both-1 (both)
 */

export const RED = 'da5bb487-5193-4a65-a3df-4a0055a8c0d7'
export const BLUE = 'b1ce0000-5193-4a65-a3df-4a0055a8c0d8'
export const SIX = '51600000-5193-4a65-a3df-4a0055a8c0d9'

const INVENTORY = `
projects: [{ name: p }]
networks:
  - { name: shop, project: p, mtu: 1442, subnets: [{ name: shop, cidr: 10.5.0.0/24 }] }
  - { name: yard, project: p, mtu: 1442, subnets: [{ name: yard, cidr: 10.6.0.0/24 }] }
servers:
  - { name: shop-1, project: p, networks: [{ network: shop }], hypervisor: external }
  - { name: shop-2, project: p, networks: [{ network: shop }], hypervisor: external }
  - { name: yard-1, project: p, networks: [{ network: yard }], hypervisor: external }
`

/** A guest of Neutron’s. */
export interface OvnGuest {
  readonly name: string
  readonly network: string
  readonly mac: string
  readonly address: string
  /** Another one. */
  readonly besides?: string
}

export const GUESTS: readonly OvnGuest[] = [
  { name: 'red-1', network: RED, mac: 'fa:16:3e:00:01:01', address: '10.88.0.11' },
  { name: 'red-2', network: RED, mac: 'fa:16:3e:00:01:02', address: '10.88.0.12' },
  { name: 'blue-1', network: BLUE, mac: 'fa:16:3e:00:02:01', address: '10.88.0.11' },
  { name: 'six-1', network: SIX, mac: 'fa:16:3e:00:06:01', address: 'fd00:6::11' },
  { name: 'both-1', network: SIX, mac: 'fa:16:3e:00:06:02', address: '10.66.0.12', besides: 'fd00:6::12' },
]
export const FAR: OvnGuest = { name: 'far', network: RED, mac: 'fa:16:3e:00:01:03', address: '10.88.0.13' }

export const METADATA_PORTS = [
  { id: RED, cidrs: '10.88.0.2/24', mac: 'fa:16:3e:00:00:02', mtu: 1442 },
  { id: BLUE, cidrs: '10.88.0.2/24', mac: 'fa:16:3e:00:00:03', mtu: 1442 },
  { id: SIX, cidrs: '10.66.0.2/24 fd00:6::2/64', mac: 'fa:16:3e:00:00:06', mtu: 1442 },
] as const

/** The id of its instance. */
export function instanceOf({ name }: Pick<OvnGuest, 'name'>): string {
  return `00000000-0000-4000-8000-${Buffer.from(name).toString('hex').padStart(12, '0')}`
}

/** A cloud of real OVN with both daemons of ours, and guests that are well. */
export interface OvnWard {
  readonly cloud: Cloud
  readonly nova: Nova
  /** Of the inventory, and of Neutron. */
  readonly own: Chassis
  readonly neutrons: Chassis
  /** The network’s id by the name of one of its guests. */
  networkOf(guest: string): string
  /** The port’s id by the name of a guest of the inventory. */
  idOf(guest: string): string
  up(): Daemon
  agent(): Daemon
  startAgent(): Promise<void>
  addPort(guest: OvnGuest, options?: string): Promise<void>
  plug(chassis: Chassis, guest: OvnGuest): Promise<void>
  /** Ends ovn-northd, and starts another. */
  endNorthd(): Promise<void>
  startNorthd(): void
  /** The port of a guest has this chassis: a name, or nothing. */
  bound(port: string, chassis: string): Promise<void>
  explain(guest: string, ...flags: readonly string[]): Promise<Explained>
  /** What is not well of OVN on Neutron’s chassis: check, what was observed. */
  doctor(): Promise<readonly string[]>
  close(): Promise<void>
}

export async function openOvnWard(): Promise<OvnWard> {
  const cloud = await openCloud()
  const [own, neutrons] = cloud.chassis
  const nova = await openNova([neutrons.machine])
  const stateOf = ({ name }: Chassis) => join(cloud.directory, `state-${name}`)
  const northds: ChildProcess[] = []
  let up: Daemon | undefined
  let agent: Daemon | undefined
  const networks = new Map<string, string>(GUESTS.map(({ name, network }) => [name, network]))
  const dhcp = new Map<string, string>()
  const ids = new Map<string, string>()

  const addPort = async (guest: OvnGuest, options?: string) => {
    const { name, network, mac, address } = guest
    const instance = instanceOf({ name })
    await cloud.addPort({ network, id: name, mac, cidrs: cidrsOf(guest).join(' '), instance, project: 'p' })
    if (!address.includes(':')) await cloud.nb('lsp-set-dhcpv4-options', name, dhcp.get(network) ?? '')
    if (options !== undefined) await cloud.nb('lsp-set-options', name, options)
  }
  const plug = (chassis: Chassis, guest: OvnGuest) =>
    chassis.plug({ name: guest.name, logicalPort: guest.name, mac: guest.mac, cidrs: cidrsOf(guest) })

  async function startUp(): Promise<void> {
    const file = join(cloud.directory, 'inventory.yaml')
    writeFileSync(file, INVENTORY)
    const remotes = [`--ovsdb-connection=${own.local}`, `--ovn-nb-connection=unix:${cloud.directory}/nb.sock`]
    up = startDaemon(own.machine, 'up', '--datapath=ovn', `--file=${file}`, `--state-dir=${stateOf(own)}`, ...remotes)
    await up.saying('firstboot is up')
    const rows = <T>(noun: string) =>
      JSON.parse(own.machine.run(...firstboot('list', noun, '--json', '-s', stateOf(own)))) as readonly T[]
    const ports = rows<{ id: string; network_id: string; mac_address: string; fixed_ips: { ip_address: string }[] }>(
      'ports',
    )
    for (const {
      name,
      ports: [first],
    } of rows<{ name: string; ports: string[] }>('servers')) {
      const port = ports.find(({ id }) => id === first) ?? assert.fail(name)
      networks.set(name, port.network_id)
      ids.set(name, port.id)
      const cidrs = [`${port.fixed_ips[0]?.ip_address}/24`]
      await own.plug({ name, logicalPort: port.id, mac: port.mac_address, cidrs })
    }
  }

  async function startAgent(): Promise<void> {
    const secret = `--metadata-proxy-shared-secret=${SECRET}`
    const flags = [`--ovsdb-connection=${neutrons.local}`, `--state-dir=${stateOf(neutrons)}`, secret]
    agent = startDaemon(neutrons.machine, 'ovn-metadata-agent', ...flags, '--agent-down-time=9')
    await agent.saying('serves the networks')
  }

  async function addNeutrons(): Promise<void> {
    for (const network of METADATA_PORTS) {
      await cloud.addNetwork(network)
      const range = network.cidrs.slice(0, network.cidrs.lastIndexOf('.', network.cidrs.indexOf('/')))
      const options = [
        'lease_time=43200',
        'mtu=1442',
        `router=${range}.1`,
        `server_id=${range}.1`,
        'server_mac=fa:16:3e:00:00:01',
      ]
      const routes = `classless_static_route="{169.254.169.254/32,${range}.2, 0.0.0.0/0,${range}.1}"`
      const columns = [...options, routes].map((option) => `options:${option}`)
      dhcp.set(network.id, await cloud.nb('create', 'DHCP_Options', `cidr=${range}.0/24`, ...columns))
    }
    for (const guest of [...GUESTS, FAR]) await addPort(guest)
    for (const guest of GUESTS) await plug(neutrons, guest)
    await plug(own, FAR)
  }

  const explain: OvnWard['explain'] = (guest, ...more) => {
    const chassis = networks.has(guest) && !GUESTS.some(({ name }) => name === guest) ? own : neutrons
    // As on a host where the database is where it usually is: a daemon that has ended can say nothing of it.
    const flags = [`--ovsdb-connection=${chassis.local}`, '-s', stateOf(chassis), ...more]
    return readExplained(chassis.machine, firstboot('explain', guest, '--json', ...flags))
  }

  async function doctor(): Promise<readonly string[]> {
    const said = await neutrons.output(...firstboot('doctor', '--json', '-s', stateOf(neutrons)))
    const { examined } = JSON.parse(said) as { examined: { check: string; severity: string; observed: string }[] }
    const ofOvn = examined.filter(({ check }) => check.startsWith('ovn/'))
    assert.ok(ofOvn.length >= 10, said)
    return ofOvn
      .filter(({ severity }) => severity !== 'ok')
      .map(({ check, severity, observed }) => `${severity} ${check} ${observed}`)
  }

  await Promise.all([startUp(), startAgent(), addNeutrons()])
  const ward: OvnWard = {
    cloud,
    nova,
    own,
    neutrons,
    idOf: (guest) => ids.get(guest) ?? assert.fail(guest),
    networkOf: (guest) => networks.get(guest) ?? assert.fail(guest),
    up: () => up ?? assert.fail(),
    agent: () => agent ?? assert.fail(),
    startAgent,
    addPort,
    plug,
    endNorthd: async () => {
      const control = join(cloud.directory, 'northd.ctl')
      await own.output('ovs-appctl', '-t', control, 'exit')
    },
    startNorthd: () => {
      const remotes = [`--ovnnb-db=unix:${cloud.directory}/nb.sock`, `--ovnsb-db=${cloud.southbound.remote}`]
      const files = [`--unixctl=${cloud.directory}/northd.ctl`, `--log-file=${cloud.directory}/northd.log`]
      northds.push(spawn('ovn-northd', [...remotes, ...files, '-vconsole:off', '--no-chdir'], { stdio: 'ignore' }))
    },
    bound: async (port, chassis) => {
      const uuid = chassis && (await cloud.sb('--bare', '--columns=_uuid', 'find', 'Chassis', `name=${chassis}`))
      await cloud.sb('wait-until', 'Port_Binding', port, `chassis=${uuid || '[]'}`)
    },
    explain,
    doctor,
    close: async () => {
      for (const daemon of [up, agent]) {
        if (daemon !== undefined) goOn(daemon)
        await daemon?.end('SIGINT')
      }
      for (const northd of northds) northd.kill('SIGKILL')
      await nova.close()
      await cloud.close()
    },
  }
  await cloud.sync()
  for (const guest of ['shop-1', 'shop-2', 'yard-1', ...GUESTS.map(({ name }) => name)]) await answered(ward, guest)
  return ward
}

/** Ends a stop. nsenter stops itself with what it started. */
export function goOn(daemon: Daemon): void {
  daemon.signal('SIGCONT')
  wakeChildren()
}

function cidrsOf({ address, besides }: OvnGuest): readonly string[] {
  return [address, besides].flatMap((each) => (each === undefined ? [] : [`${each}/${each.includes(':') ? 64 : 24}`]))
}

const ANSWER_MILLISECONDS = 40_000

/** Waits until a guest gets its document. */
export async function answered(ward: OvnWard, guest: string): Promise<void> {
  const neutrons = GUESTS.find(({ name }) => name === guest)
  const chassis = neutrons === undefined ? ward.own : ward.neutrons
  const host = neutrons?.address.includes(':') ? '[fe80::a9fe:a9fe%25eth0]' : '169.254.169.254'
  const curl = ['curl', '-sS', '--max-time', '1', '-o', '/dev/null', '-w', '%{http_code}', '-g']
  const url = `http://${host}/openstack/latest/meta_data.json`
  const end = performance.now() + ANSWER_MILLISECONDS
  for (let said = ''; said !== '200'; ) {
    assert.ok(performance.now() < end, `${guest} is still not answered: ${said}`)
    await chassis.inGuest(guest, 'ip', 'neigh', 'flush', 'dev', 'eth0')
    said = (await chassis.inGuest(guest, ...curl, url)).trim()
  }
}
