import { datapathOptions } from '../config/options/datapath.ts'
import { Planner } from '../datapath/desired.ts'
import { FIREWALL_PREFIXES, NETNS_PREFIXES, SYSCTLS } from '../datapath/namespaces.ts'
import { Reconciler, type State } from '../datapath/reconciler.ts'
import { resumedListeners } from '../datapath/resume.ts'
import { KernelHost } from '../host/kernel-host.ts'
import type { NamespaceSockets } from '../host/listeners.ts'
import type { Inventory } from '../inventory/store.ts'
import type { LastPass } from '../observe/health.ts'
import type { Log } from '../observe/log.ts'
import type { Metrics } from '../observe/metrics/metrics.ts'
import { type DatapathValues, datapathConfig } from './datapath-config.ts'
import { liveValues } from './live-values.ts'
import type { StateDirectory } from './state-directory.ts'

/** Keeps this machine's bridges and namespaces as the inventory and the options want them. */
export interface RunningDatapath {
  readonly reconciler: Reconciler
  /** In force now. */
  readonly values: DatapathValues
  /** Puts other options in force. Resolves when a pass has acted on them. @returns what changed, one a line
   *  @throws HostError when they name a program that is not installed; then those before stay in force */
  configure(values: DatapathValues): Promise<readonly string[]>
  /** Ends looking. Namespaces and their programs stay for the next run to adopt. */
  close(): Promise<void>
  /** Removes everything of ours, then closes. */
  teardown(): Promise<void>
}

export interface DatapathGiven {
  readonly state: StateDirectory
  readonly inventory: Inventory
  readonly values: DatapathValues
  readonly sockets: NamespaceSockets
  /** The metadata agent's unix socket, for a haproxy to ask. */
  readonly agentSocket: string
  readonly metrics: Metrics
  /** Told of options that are in force from now on: for others whom they concern. */
  readonly onValues?: ((values: DatapathValues) => Promise<unknown>) | undefined
  readonly log: Log
}

export function openDatapath(given: DatapathGiven): RunningDatapath {
  const { state, inventory, sockets, agentSocket, metrics, log } = given
  const configOf = (values: DatapathValues) => datapathConfig(values, { statePath: state.path, agentSocket })
  let config = configOf(given.values)
  const host = new KernelHost({
    netnsPrefixes: NETNS_PREFIXES,
    firewallPrefixes: FIREWALL_PREFIXES,
    bridgePrefix: 'brq',
    statePath: state.path,
    sysctls: SYSCTLS,
    sockets,
    warn: (what) => log.warn({ what }, 'datapath'),
  })
  const planner = new Planner()
  const reconciler = new Reconciler({
    source: inventory,
    desired: (records, now) => planner.desired(records, config, now),
    resume: (observed) => resumedListeners(observed, config),
    host,
    log,
    onPass: (report, milliseconds) => {
      metrics.reconciled(report, milliseconds)
      metrics.serving(served(reconciler.state))
    },
  })
  host.onDrift((what) => metrics.drifted(what))
  const act = async (next: DatapathValues) => {
    config = configOf(next)
    await reconciler.lookAnew()
    await given.onValues?.(next)
  }
  const live = liveValues(datapathOptions, given.values, act, log)
  return {
    reconciler,
    get values() {
      return live.values
    },
    configure: live.configure,
    close: async () => {
      await reconciler.stop()
      host.close()
    },
    teardown: async () => {
      await reconciler.teardown()
      await host.settle()
      host.close()
    },
  }
}

function served(state: State | undefined) {
  const namespaces = [...(state?.desired.namespaces.values() ?? [])]
  return {
    networks: state?.desired.networks?.size ?? 0,
    namespaces: namespaces.length,
    ports: namespaces.reduce((sum, { devices }) => sum + devices.length, 0),
  }
}

/** For whoever asks whether all is well. */
export function lastPass({ reconciler: { state } }: RunningDatapath): LastPass | undefined {
  return state && { failed: [...state.history.troubles.values()] }
}
