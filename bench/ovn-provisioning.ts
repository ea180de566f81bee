import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { inNamespace } from '../src/host/netns.ts'
import { computeChecksums } from '../src/host/offload.ts'
import { askFrom } from '../src/host/probe/visitor.ts'
import type { IpAddress } from '../src/inventory/records/address.ts'
import { map, type OvsdbClient, openOvsdb, optional, reference, table, text } from '../src/ovsdb/ovsdb.ts'
import type { Chassis } from '../test/ovn/chassis.ts'
import { eventually } from '../test/support/eventually.ts'
import type { FreshNetwork, Place } from './ovn-cloud.ts'

/** One network, from nothing to its first answer, in milliseconds. Infinity: not within a minute. */
export interface Provisioned {
  /** From the port's chassis in the Southbound, as ovn-controller sets it, until the agent has put its own port into Open vSwitch. */
  readonly boundToPlugged: number
  /** Until the guest had its answer. */
  readonly boundToAnswer: number
  /** The same from the end of `ovs-vsctl add-port`. */
  readonly addedToAnswer: number
}

const PORT = table('Port_Binding', { logical_port: text, chassis: optional(reference) })
const INTERFACE = table('Interface', { external_ids: map(text, text) })

/** For all of them together. */
const PATIENCE_MILLISECONDS = 90_000
/** Of a guest that asks: for a first connection, each next one a fifth more; and before it asks again. */
const CONNECT_MILLISECONDS = 40
const PAUSE_MILLISECONDS = 5
const GIVE_UP_MILLISECONDS = 60_000

/** Plugs one guest after the other, each on a network that has none yet. @returns as many as go in a minute and a half */
export async function provisioning({ chassis, fresh }: Place, southbound: string): Promise<readonly Provisioned[]> {
  const ports = openOvsdb({ remotes: southbound, database: 'OVN_Southbound', tables: [PORT] })
  void ports.setCondition(
    PORT,
    fresh.map(({ port }) => ['logical_port', '==', port] as const),
  )
  const local = openOvsdb({ remotes: chassis.local, database: 'Open_vSwitch', tables: [INTERFACE] })
  await Promise.all([ports.synchronized(), local.synchronized()])
  const measured: Provisioned[] = []
  const end = performance.now() + PATIENCE_MILLISECONDS
  try {
    for (const network of fresh) {
      if (performance.now() > end) break
      measured.push(await provision(chassis, network, ports, local))
    }
  } finally {
    await Promise.all([ports.close(), local.close()])
  }
  return measured
}

async function provision(
  chassis: Chassis,
  network: FreshNetwork,
  ports: OvsdbClient,
  local: OvsdbClient,
): Promise<Provisioned> {
  const { machine, vsctl } = chassis
  makeGuest(chassis, network)
  const tap = tapOf(network)
  const isBound = () =>
    Array.from(ports.all(PORT)).some((row) => row.logical_port === network.port && row.chassis !== undefined)
  const isPlugged = () =>
    Array.from(local.all(INTERFACE)).some((row) => row.external_ids.get('iface-id') === `meta-${network.id}`)
  const given = AbortSignal.timeout(GIVE_UP_MILLISECONDS)
  const [bound, plugged] = [momentOf(ports, isBound, given), momentOf(local, isPlugged, given)]
  await vsctl('add-port', 'br-int', tap, '--', 'set', 'Interface', tap, `external_ids:iface-id=${network.port}`)
  const added = performance.now()
  const answered = await firstAnswer(`/proc/${machine.pid}/root/run/netns/${network.port}`)
  const times = { bound: await bound, plugged: await plugged }
  await vsctl('del-port', 'br-int', tap)
  machine.run('ip', 'netns', 'delete', network.port)
  const namespace = `/proc/${machine.pid}/root/run/netns/ovnmeta-${network.id}`
  await eventually(`${namespace} is gone`, () => !existsSync(namespace), GIVE_UP_MILLISECONDS)
  return {
    boundToPlugged: times.plugged - times.bound,
    boundToAnswer: answered - times.bound,
    addedToAnswer: answered - added,
  }
}

/** When it is so first; never is Infinity. Listened to, since looking would cost what is measured. */
function momentOf(client: OvsdbClient, holds: () => boolean, given: AbortSignal): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const end = client.onChanges(() => {
    if (holds()) resolve(performance.now())
  })
  given.addEventListener('abort', () => resolve(Number.POSITIVE_INFINITY))
  return promise.finally(end)
}

/** Asks as a guest that does not wait long. While flows are being put into the switch packets are lost, and TCP itself would
 *  send again after a second. @returns Infinity when it has no answer */
async function firstAnswer(guest: string): Promise<number> {
  const ending = performance.now() + GIVE_UP_MILLISECONDS
  for (let patience = CONNECT_MILLISECONDS; performance.now() < ending; patience = Math.min(patience * 1.2, 1_000)) {
    const said = await askFrom(guest, METADATA, 80, '/openstack', GIVE_UP_MILLISECONDS, patience)
    if (said.outcome === 'answered' && said.status === 200) return performance.now()
    await pause(PAUSE_MILLISECONDS)
  }
  return Number.POSITIVE_INFINITY
}

const METADATA = '169.254.169.254' as IpAddress

/** With everything but the port of Open vSwitch. A guest that hears nothing looks for the address again within milliseconds. */
function makeGuest({ machine }: Chassis, network: FreshNetwork): void {
  const { port: guest, mac, address } = network
  const ip = (line: string) => machine.run('ip', ...line.split(' '))
  const tap = tapOf(network)
  ip(`netns add ${guest}`)
  ip(`link add ${tap} mtu 1442 type veth peer name eth0 address ${mac} mtu 1442 netns ${guest}`)
  inNamespace<void>(`/proc/${machine.pid}/ns/net`, () => computeChecksums(tap))
  inNamespace<void>(`/proc/${machine.pid}/root/run/netns/${guest}`, () => computeChecksums('eth0'))
  ip(`link set ${tap} up`)
  ip(`netns exec ${guest} sysctl -qw net.ipv4.neigh.eth0.retrans_time_ms=10`)
  ip(`-n ${guest} link set eth0 up`)
  ip(`-n ${guest} address add ${address}/24 dev eth0`)
  ip(`-n ${guest} route add ${METADATA}/32 dev eth0`)
}

function tapOf({ port }: FreshNetwork): string {
  return `t-${port}`
}
