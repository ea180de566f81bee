import { realpathSync } from 'node:fs'
import { datapathOptions } from '../../config/options/datapath.ts'
import { documentOptions } from '../../config/options/documents.ts'
import { configDriveOptions } from '../../config/options/machines.ts'
import { type DatapathValues, datapathConfig } from '../../daemons/datapath-config.ts'
import type { DriveValues } from '../../daemons/drives.ts'
import type { StateDirectory } from '../../daemons/state-directory.ts'
import { Planner } from '../../datapath/desired.ts'
import type { Facts } from '../../explain/facts.ts'
import { whyNotWritable } from '../../inventory/sql/writable.ts'
import type { Inventory, InventoryStore } from '../../inventory/store.ts'
import { askOperator, hostFacts, type RunningDaemon, runningDaemons } from './daemons.ts'
import { documentFacts } from './documents.ts'
import type { Wanted } from './find-port.ts'
import { hopFacts } from './hops.ts'
import { networkFacts } from './network.ts'
import { foundPorts, pathFacts, recordFacts } from './path.ts'

const LOCK_MILLISECONDS = 500
/** Everything else waits for it; without it the options count with which the daemon was started. */
const CONFIG_MILLISECONDS = 500

export interface Gathering {
  readonly state: StateDirectory
  readonly inventory: Inventory
  readonly store: InventoryStore
  readonly wanted: Wanted
  /** As flags and environment say; what the running daemons were started with goes before. */
  readonly values: DatapathValues & DriveValues
}

/** Everything one explanation goes by. What does not depend on another is asked at once. */
export async function gatherFacts({ state, inventory, store, wanted, values }: Gathering): Promise<Facts> {
  const statePath = realpathSync(state.path)
  const database = whyNotWritable(state.database, LOCK_MILLISECONDS)
  const daemons = await runningDaemons(state)
  const running = 'value' in daemons ? daemons.value : []
  const inForce = askOperator<DatapathValues>(state, '/config', CONFIG_MILLISECONDS)
  const host = hostFacts(state, daemons)
  const datapath = (await inForce) ?? valuesOf(running, ['up', 'dhcp-agent'], datapathOptions, values)
  const config = datapathConfig(datapath, { statePath, agentSocket: state.agentSocket })
  const desired = new Planner().desired(inventory.records, config, Math.floor(Date.now() / 1_000))
  const records = recordFacts(inventory, wanted)
  const path = pathFacts(records, desired)
  const documents = { ...documentOptions, ...configDriveOptions }
  const read = valuesOf(running, ['metadata-api', 'up', 'metadata-proxy'], documents, values)
  const ports = [...inventory.records.port.values()].filter(({ networkId }) => networkId === records.port?.networkId)
  const [network, hops, told, problem] = await Promise.all([
    isElsewhere(running) ? ELSEWHERE : networkFacts({ records, path, desired, ports, statePath }),
    hopFacts(state, running, records, path),
    documentFacts({ state, inventory, store, records, values: read }),
    database,
  ])
  return {
    now: Date.now(),
    records: { ...records, found: foundPorts(inventory, records, path) },
    path,
    host: await host,
    ...network,
    ...hops,
    database: { value: { path: state.database, problem } },
    ...told,
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
