import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { runProgram } from '../../src/host/programs.ts'
import { createDatabase, endServers, type OvsdbServer, ovsdbServer, temporaryDirectory } from '../ovsdb/ovsdb-server.ts'
import { type Chassis, openChassis, wire } from './chassis.ts'

/**
 * A small cloud of real OVN, in ML2/OVN's conventions:
 *
 *     northbound, southbound (ovsdb-server), ovn-northd       in the test's own namespace, on unix sockets
 *        chassis-1 ── geneve over 192.0.2.0/24 ── chassis-2   a machine each: ovsdb-server, ovs-vswitchd, ovn-controller
 */
export interface Cloud<Southbound extends Remote = OvsdbServer> {
  readonly directory: string
  readonly northbound: OvsdbServer
  readonly southbound: Southbound
  readonly northd: Northd
  readonly chassis: readonly [Chassis, Chassis]
  nb(...args: readonly string[]): Promise<string>
  sb(...args: readonly string[]): Promise<string>
  /** Every chassis has acted on what the Northbound says. */
  sync(): Promise<void>
  addNetwork(network: CloudNetwork): Promise<void>
  addPort(port: CloudPort): Promise<void>
  close(): Promise<void>
}

/** Who serves a database, by the remote (or remotes) of it. */
export interface Remote {
  readonly remote: string
}

export interface Northd {
  start(): void
  /** SIGKILL: nobody is told. */
  kill(): Promise<void>
  /** Stops it as it is; `false` lets it go on. */
  freeze(isFrozen: boolean): void
}

export interface CloudNetwork {
  readonly id: string
  /** Of the metadata port: `address/prefix`, several separated by blanks. */
  readonly cidrs: string
  readonly mac: string
  readonly mtu?: number
}

export interface CloudPort {
  readonly network: string
  readonly id: string
  readonly mac: string
  readonly cidrs: string
  readonly instance: string
  readonly project: string
  /** Where it is to be bound. */
  readonly requested?: string
}

/** One ovsdb-server of its own. */
export async function standaloneSouthbound(directory: string): Promise<OvsdbServer> {
  const server = ovsdbServer(directory, createDatabase(directory, schemaOf('sb'), 'sb'), { name: 'sb' })
  await server.start()
  return server
}

/** @param name  `nb` or `sb` @returns the file that Debian ships */
export function schemaOf(name: 'nb' | 'sb'): string {
  return `/usr/share/ovn/ovn-${name}.ovsschema`
}

export async function openCloud(): Promise<Cloud>
export async function openCloud<S extends Remote>(serve: (directory: string) => Promise<S>): Promise<Cloud<S>>
export async function openCloud(
  serve: (directory: string) => Promise<Remote> = standaloneSouthbound,
): Promise<Cloud<Remote>> {
  const directory = temporaryDirectory()
  const northbound = ovsdbServer(directory, createDatabase(directory, schemaOf('nb'), 'nb'), { name: 'nb' })
  const [southbound] = await Promise.all([serve(directory), northbound.start()])
  const control =
    (program: string, remote: string) =>
    async (...args: readonly string[]) =>
      (await runProgram(program, [`--db=${remote}`, '--timeout=30', ...args])).stdout.trim()
  const [nb, sb] = [control('ovn-nbctl', northbound.remote), control('ovn-sbctl', southbound.remote)]
  await Promise.all([nb('init'), sb('init')])
  const northd = northdOf(directory, northbound.remote, southbound.remote)
  northd.start()
  const chassis = (await Promise.all(
    [1, 2].map((number) =>
      openChassis({
        name: `chassis-${number}`,
        directory,
        southbound: southbound.remote,
        address: `192.0.2.${number}`,
      }),
    ),
  )) as [Chassis, Chassis]
  await Promise.all(chassis.map(({ start }) => start('ovs-vswitchd')))
  await wire(chassis[0], chassis[1], ({ name }) => `192.0.2.${name.at(-1)}`)
  await Promise.all(chassis.map(({ start }) => start('ovn-controller')))
  return {
    directory,
    northbound,
    southbound,
    northd,
    chassis,
    nb,
    sb,
    sync: async () => {
      await nb('--wait=hv', 'sync')
    },
    async addNetwork({ id, cidrs, mac, mtu }) {
      await nb(
        'ls-add',
        `neutron-${id}`,
        '--',
        'set',
        'Logical_Switch',
        `neutron-${id}`,
        `external_ids:"neutron:network_name"="net-${id.slice(0, 4)}"`,
      )
      await addLogicalPort(nb, `neutron-${id}`, `meta-${id}`, `${mac} ${addressesOf(cidrs)}`, {
        'neutron:cidrs': cidrs,
        'neutron:device_id': `ovnmeta-${id}`,
        'neutron:device_owner': 'network:distributed',
        'neutron:mtu': mtu === undefined ? '' : `${mtu}`,
      })
      await nb('lsp-set-type', `meta-${id}`, 'localport')
    },
    async addPort({ network, id, mac, cidrs, instance, project, requested }) {
      await addLogicalPort(nb, `neutron-${network}`, id, `${mac} ${addressesOf(cidrs)}`, {
        'neutron:cidrs': cidrs,
        'neutron:device_id': instance,
        'neutron:device_owner': 'compute:nova',
        'neutron:project_id': project,
      })
      if (requested !== undefined) await nb('lsp-set-options', id, `requested-chassis=${requested}`)
    },
    async close() {
      await northd.kill()
      await Promise.all(chassis.map(({ machine }) => machine.stop()))
      await endServers()
    },
  }
}

function addressesOf(cidrs: string): string {
  return cidrs.replaceAll(/\/\d+/g, '')
}

async function addLogicalPort(
  nb: Cloud['nb'],
  network: string,
  id: string,
  addresses: string,
  externalIds: Readonly<Record<string, string>>,
): Promise<void> {
  const ids = Object.entries(externalIds).map(([key, value]) => `external_ids:"${key}"="${value}"`)
  await nb(
    'lsp-add',
    network,
    id,
    '--',
    'lsp-set-addresses',
    id,
    addresses,
    '--',
    'set',
    'Logical_Switch_Port',
    id,
    ...ids,
  )
}

function northdOf(directory: string, northbound: string, southbound: string): Northd {
  let running: ChildProcess | undefined
  const args = [
    `--ovnnb-db=${northbound}`,
    `--ovnsb-db=${southbound}`,
    `--unixctl=${join(directory, 'northd.ctl')}`,
    `--log-file=${join(directory, 'northd.log')}`,
    '-vconsole:off',
    '--no-chdir',
  ]
  return {
    start() {
      running = spawn('ovn-northd', args, {
        stdio: 'ignore',
        env: { ...process.env, OVN_RUNDIR: directory, OVS_RUNDIR: directory },
      })
    },
    async kill() {
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
      const ended = once(running, 'exit')
      running.kill('SIGKILL')
      await ended
    },
    freeze(isFrozen) {
      running?.kill(isFrozen ? 'SIGSTOP' : 'SIGCONT')
    },
  }
}
