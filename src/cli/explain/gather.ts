import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { datapathOptions } from '../../config/options/datapath.ts'
import { documentOptions } from '../../config/options/documents.ts'
import { configDriveOptions } from '../../config/options/machines.ts'
import { type DatapathValues, datapathConfig } from '../../daemons/datapath-config.ts'
import type { DriveValues } from '../../daemons/drives.ts'
import type { StateDirectory } from '../../daemons/state-directory.ts'
import { type DesiredAt, Planner } from '../../datapath/desired.ts'
import type { Facts } from '../../explain/facts.ts'
import { patience, slowdown } from '../../host/slowdown.ts'
import type { Port } from '../../inventory/records/port.ts'
import { whyNotWritable } from '../../inventory/sql/writable.ts'
import type { Inventory, InventoryStore } from '../../inventory/store.ts'
import { askOperator, hostFacts, type RunningDaemon, runningDaemons } from './daemons.ts'
import { portFacts, serverFacts } from './documents.ts'
import type { Wanted } from './find-port.ts'
import { hopFacts } from './hops.ts'
import type { Ipv6Question } from './ipv6.ts'
import { advertisingRouters, ipv6Ways, isLeased } from './ipv6-path.ts'
import { networkFacts } from './network.ts'
import { foundPorts, ofFamily, pathFacts, recordFacts } from './path.ts'

const LOCK_MILLISECONDS = 500
/** Everything else waits for it; without it the options count with which the daemon was started. */
const CONFIG_MILLISECONDS = 500

export interface Gathering {
  readonly state: StateDirectory
  readonly inventory: Inventory
  readonly store: InventoryStore
  /** Ports of one server, or one port. */
  readonly wanted: readonly Wanted[]
  /** As flags and environment say; what the running daemons were started with goes before. */
  readonly values: DatapathValues & DriveValues
}

/** Everything that explanations go by, one a port. What does not depend on another is asked at once. */
export async function gatherFacts(gathering: Gathering): Promise<readonly Facts[]> {
  const { state, inventory, store, wanted, values } = gathering
  const statePath = realpathSync(state.path)
  const daemons = await runningDaemons(state)
  const running = 'value' in daemons ? daemons.value : []
  const inForce = askOperator<DatapathValues>(state, '/config', patience(CONFIG_MILLISECONDS))
  const datapath = (await inForce) ?? valuesOf(running, ['up', 'lab', 'dhcp-agent'], datapathOptions, values)
  const config = datapathConfig(datapath, { statePath, agentSocket: state.agentSocket })
  const desired = new Planner().desired(inventory.records, config, Math.floor(Date.now() / 1_000))
  const documents = { ...documentOptions, ...configDriveOptions }
  const read = valuesOf(running, ['metadata-api', 'up', 'lab', 'metadata-proxy'], documents, values)
  const [ways, host, problem, server] = await Promise.all([
    Promise.all(wanted.map((each) => wayFacts({ state, inventory, running, desired, statePath }, each))),
    hostFacts(state, daemons),
    whyNotWritable(state.database, patience(LOCK_MILLISECONDS)),
    serverFacts({ state, inventory, store, values: read }, wanted[0]?.server),
  ])
  return ways.map((way) => ({
    now: Date.now(),
    slowdown: slowdown(),
    ...way,
    ...portFacts(state, way.records),
    host,
    database: { value: { path: state.database, problem } },
    ...server,
  }))
}

interface Surroundings extends Pick<Gathering, 'state' | 'inventory'> {
  readonly running: readonly RunningDaemon[]
  readonly desired: DesiredAt
  readonly statePath: string
}

/** What is one port's own. */
async function wayFacts(around: Surroundings, wanted: Wanted) {
  const { state, inventory, running, desired, statePath } = around
  const records = recordFacts(inventory, wanted)
  const path = pathFacts(records, desired)
  const ports = [...inventory.records.port.values()].filter(({ networkId }) => networkId === records.port?.networkId)
  const ipv6 = ipv6Question(around, wanted, ports)
  const [network, hops] = await Promise.all([
    isElsewhere(running) ? ELSEWHERE : networkFacts({ records, path, desired, ports, statePath, ipv6 }),
    hopFacts(state, running, records, path),
  ])
  return { records: { ...records, found: foundPorts(inventory, records, path) }, path, ...network, ...hops }
}

function ipv6Question(
  { inventory, state, desired }: Surroundings,
  wanted: Wanted,
  ports: readonly Port[],
): Ipv6Question | undefined {
  const { port } = wanted
  const fixedIp = ofFamily(port, 6)
  const records = recordFacts(inventory, wanted, fixedIp)
  const { subnet } = records
  if (port === undefined || fixedIp === undefined || subnet === undefined) return undefined
  return {
    port,
    fixedIp,
    subnet,
    ways: ipv6Ways(records, desired),
    own: ports.filter(({ deviceOwner }) => deviceOwner.startsWith('network:')).map(({ macAddress }) => macAddress),
    advertisers: advertisingRouters(records, desired),
    isLeased: isLeased(records, desired),
    leases: join(state.dhcp, port.networkId, 'leases'),
  }
}

/** Only an agent or an API of ours runs: namespaces and sockets are somebody else's. */
function isElsewhere(daemons: readonly RunningDaemon[]): boolean {
  const runs = (names: readonly string[]) => daemons.some(({ command }) => names.includes(command))
  return runs(['metadata-agent', 'metadata-api']) && !runs(['up', 'dhcp-agent', 'metadata-proxy', 'socket-keeper'])
}

const NOT_OURS = { unknown: 'the datapath is somebody else’s here: only our agent or API runs' }
const ELSEWHERE = {
  steps: NOT_OURS,
  plug: NOT_OURS,
  inside: NOT_OURS,
  offers: NOT_OURS,
  visit: NOT_OURS,
  claims: NOT_OURS,
  way: NOT_OURS,
}

/** The values of the first of these daemons that runs, of these options only. */
export function valuesOf<T extends object>(
  daemons: readonly RunningDaemon[],
  names: readonly string[],
  options: Readonly<Record<string, unknown>>,
  otherwise: T,
): T {
  const [daemon] = names.flatMap((name) => daemons.filter(({ command }) => command === name))
  const known = Object.entries(daemon?.values ?? {}).filter(([name]) => name in options)
  return { ...otherwise, ...Object.fromEntries(known) }
}
