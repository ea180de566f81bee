import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { OvsdbServer } from '../ovsdb/ovsdb-server.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import type { Chassis } from './chassis.ts'
import { type Cloud, openCloud, type Remote, standaloneSouthbound } from './cloud.ts'
import { type Nova, openNova, SECRET } from './nova.ts'

/** Before a test says that something did not come. */
const SEARCHING_MILLISECONDS = 40_000

/** A guest of the test's: its name is its port's, `instance-NAME` its instance, `project-NAME` the project. */
export interface Guest {
  readonly name: string
  readonly network: string
  readonly mac: string
  readonly address: string
}

/** A cloud of real OVN whose chassis our agents serve, in front of a Nova that tells of every request what it was asked. */
export interface ServedCloud<Southbound extends Remote> {
  readonly cloud: Cloud<Southbound>
  readonly nova: Nova
  /** Resolves when the chassis is served. @param more  options beyond the usual ones */
  startAgent(chassis: Chassis, ...more: readonly string[]): Promise<Daemon>
  /** The same, not waited for. */
  launchAgent(chassis: Chassis, ...more: readonly string[]): Daemon
  /** The one that was started last. */
  agentOf(chassis: Chassis): Daemon
  stateOf(chassis: Chassis): string
  addNetwork(id: string, cidrs?: string): Promise<void>
  addPort(guest: Guest, requested?: string): Promise<void>
  /** Plugs a guest in whose port is there. */
  plug(chassis: Chassis, guest: Guest): Promise<void>
  addGuest(chassis: Chassis, guest: Guest): Promise<void>
  /** Takes guests and their networks out of the cloud. */
  forget(chassis: Chassis, ...guests: readonly Guest[]): Promise<void>
  /** Asks once, as a guest that has never looked for the metadata address before. @returns body and status */
  ask(chassis: Chassis, guest: Guest, seconds?: number): Promise<string>
  /** Asks until it gets this, and nothing that a guest would take as final meanwhile. @throws AssertionError */
  getsAnswer(chassis: Chassis, guest: Guest, want?: string, seconds?: number): Promise<void>
  namespaces(chassis: Chassis): string
  addressesIn(chassis: Chassis, network: string): string
  close(): Promise<void>
}

let guests = 0
export function guest(name: string, network: string, address = '10.88.0.11'): Guest {
  guests += 1
  return { name, network, address, mac: `fa:16:3e:00:01:${guests.toString(16).padStart(2, '0')}` }
}

/** What a guest is to be answered. */
export function own({ name, address }: Guest): string {
  return `instance-${name} project-${name} ${address}`
}

export function openServedCloud(): Promise<ServedCloud<OvsdbServer>>
export function openServedCloud<S extends Remote>(serve: (directory: string) => Promise<S>): Promise<ServedCloud<S>>
export async function openServedCloud(
  serve: (directory: string) => Promise<Remote> = standaloneSouthbound,
): Promise<ServedCloud<Remote>> {
  const cloud = await openCloud(serve)
  const nova = await openNova(cloud.chassis.map(({ machine }) => machine))
  const agents = new Map<string, Daemon>()
  let networks = 0
  const stateOf = ({ name }: Chassis) => `${cloud.directory}/state-${name}`
  const agentOf = ({ name }: Chassis) => agents.get(name) as Daemon

  function launchAgent(chassis: Chassis, ...more: readonly string[]): Daemon {
    const agent = startDaemon(
      chassis.machine,
      'ovn-metadata-agent',
      `--ovsdb-connection=${chassis.local}`,
      `--state-dir=${stateOf(chassis)}`,
      `--metadata-proxy-shared-secret=${SECRET}`,
      '--agent-down-time=9',
      ...more,
    )
    agents.set(chassis.name, agent)
    return agent
  }

  const addPort = ({ network, name, mac, address }: Guest, requested?: string) =>
    cloud.addPort({
      network,
      id: name,
      mac,
      cidrs: `${address}/${address.includes(':') ? 64 : 24}`,
      instance: `instance-${name}`,
      project: `project-${name}`,
      ...(requested !== undefined && { requested }),
    })
  const plug = (chassis: Chassis, { name, mac, address }: Guest) =>
    chassis.plug({ name, logicalPort: name, mac, cidrs: [`${address}/${address.includes(':') ? 64 : 24}`] })

  async function ask(chassis: Chassis, { name, address }: Guest, seconds = 2): Promise<string> {
    await chassis.inGuest(name, 'ip', 'neigh', 'flush', 'dev', 'eth0')
    const host = address.includes(':') ? '[fe80::a9fe:a9fe%25eth0]' : '169.254.169.254'
    const curl = ['curl', '-sS', '--globoff', '--max-time', `${seconds}`, '-w', ' %{http_code}']
    return chassis.inGuest(name, ...curl, `http://${host}/openstack`)
  }

  return {
    cloud,
    nova,
    launchAgent,
    agentOf,
    stateOf,
    addPort,
    plug,
    ask,
    async startAgent(chassis, ...more) {
      const agent = launchAgent(chassis, ...more)
      await agent.saying('serves the networks')
      return agent
    },
    addNetwork(id, cidrs = '10.88.0.2/24') {
      networks += 1
      return cloud.addNetwork({ id, cidrs, mac: `fa:16:3e:00:02:${networks.toString(16).padStart(2, '0')}` })
    },
    async addGuest(chassis, it) {
      await addPort(it)
      await plug(chassis, it)
    },
    async forget(chassis, ...gone) {
      for (const { name } of gone) await chassis.unplug(name)
      for (const network of new Set(gone.map((it) => it.network))) await cloud.nb('ls-del', `neutron-${network}`)
    },
    async getsAnswer(chassis, it, want = own(it), seconds = 0.5) {
      const finals: string[] = []
      const said = await until(
        () => ask(chassis, it, seconds),
        (text) => {
          if (/ (404|403|400|500)$/.test(text)) finals.push(text)
          return text === `${want} 200`
        },
      )
      assert.equal(said, `${want} 200`, agentOf(chassis)?.said())
      assert.deepEqual(finals, [], agentOf(chassis)?.said())
    },
    namespaces: (chassis) => chassis.machine.run('ip', 'netns'),
    addressesIn: (chassis, network) => chassis.machine.run('ip', '-n', `ovnmeta-${network}`, '-o', 'address'),
    async close() {
      await Promise.all([...agents.values()].map((agent) => agent.end('SIGINT')))
      await nova.close()
      await cloud.close()
    },
  }
}

/** A network id that begins as told. */
export function networkId(prefix: string): string {
  return `${prefix.padEnd(8, '0')}-5193-4a65-a3df-4a0055a8c0d7`
}

/** Asks again until the answer satisfies, or it is time to give up. @returns the last answer */
export async function until(
  read: () => Promise<string> | string,
  satisfies: (text: string) => boolean,
  milliseconds = SEARCHING_MILLISECONDS,
): Promise<string> {
  const end = performance.now() + milliseconds
  for (;;) {
    const text = await Promise.resolve()
      .then(read)
      .catch((error: unknown) => String(error))
    if (satisfies(text) || performance.now() > end) return text
    await delay(20)
  }
}
