import type { Values } from '../../config/option.ts'
import { proxyOptions } from '../../config/options/datapath.ts'
import type { ovnOptions } from '../../config/options/ovn.ts'
import { openPortSwitch } from '../../datapath/open-vswitch/port-switch.ts'
import { ovnDesired } from '../../datapath/ovn/desired.ts'
import { OVN_PREFIX, type OvnConfig } from '../../datapath/ovn/namespace.ts'
import { Reconciler } from '../../datapath/reconciler.ts'
import { resumedOvnListeners } from '../../datapath/resume.ts'
import { hasIpv6 } from '../../host/ipv6.ts'
import { KernelHost } from '../../host/kernel-host.ts'
import type { NamespaceSockets } from '../../host/listeners.ts'
import { markOf } from '../../host/mark.ts'
import type { PortSwitch } from '../../host/port-switch.ts'
import type { LocalNetworks } from '../../metadata-agent/ovn/local-networks.ts'
import { CHASSIS, PORT_BINDING } from '../../metadata-agent/ovn/southbound.ts'
import type { LastPass } from '../../observe/health.ts'
import type { Log } from '../../observe/log.ts'
import type { Metrics } from '../../observe/metrics/metrics.ts'
import type { OvsdbClient } from '../../ovsdb/ovsdb.ts'
import { liveValues } from '../live-values.ts'
import { type ProxyValues, proxyConfig } from '../proxy-config.ts'
import type { StateDirectory } from '../state-directory.ts'
import type { Chassis } from './chassis.ts'
import type { ChassisConnection } from './chassis-connection.ts'
import type { Databases } from './databases.ts'
import { networkSource } from './network-source.ts'

/** The options of the OVN path, under the field's names. */
export type ChassisValues = Values<typeof ovnOptions> & ProxyValues

/** Keeps a metadata namespace for every network of guests on this chassis, and says in OVN that it does. */
export interface ChassisDatapath extends Omit<ChassisConnection, 'close'> {
  /** Of this chassis in OVN. */
  readonly chassisName: string
  readonly reconciler: Reconciler<LocalNetworks>
  /** Of what answers in the namespaces; in force now. */
  readonly values: ProxyValues
  /** Puts others in force. Resolves when a pass has acted on them, or at once where there was none yet. @returns what changed,
   *  one a line @throws HostError when they name a program that is not installed; then those before stay in force */
  configure(values: ProxyValues): Promise<readonly string[]>
  /** Resolves when the first pass is done, which waits until both databases are known. */
  start(): Promise<void>
  /** Leaves everything as it is, for the next run to go on. */
  close(): Promise<void>
  /** Removes what is ours, then closes. */
  teardown(): Promise<void>
}

export interface ChassisGiven {
  readonly state: StateDirectory
  readonly values: ChassisValues
  /** A promise of them where whoever keeps them is still being started. */
  readonly sockets: NamespaceSockets | Promise<NamespaceSockets>
  /** The metadata agent's unix socket, for a haproxy to ask. */
  readonly agentSocket: string
  readonly databases: Databases
  readonly metrics: Metrics
  readonly log: Log
}

/** @param connection  the datapath's from now on, which closes it @param sockets  those given, by now */
export function openChassisDatapath(
  given: ChassisGiven,
  chassis: Chassis,
  connection: ChassisConnection,
  sockets: NamespaceSockets,
): ChassisDatapath {
  const { state, agentSocket, metrics, log } = given
  const { local, name, bridge } = chassis
  const { southbound, following } = connection
  const host = chassisHost(state, sockets, openPortSwitch(local, markOf(state.path)), log)
  const ipv6 = hasIpv6()
  const live = liveValues<ProxyValues>(proxyOptions, given.values, () => reconciler.lookAnew(), log)
  const config = (): OvnConfig => ({
    ...proxyConfig(live.values, { statePath: state.path, agentSocket }),
    bridge: bridge(),
    hasIpv6: ipv6,
  })
  const reconciler: Reconciler<LocalNetworks> = new Reconciler({
    source: networkSource(southbound, name, following),
    desired: (networks) => ovnDesired(networks, config()),
    resume: (observed) => resumedOvnListeners(observed, config()),
    host,
    log,
    onPass: (report, milliseconds) => {
      metrics.reconciled(report, milliseconds)
      metrics.serving({ ...served(reconciler), ports: guestPorts(southbound, name) })
    },
  })
  host.onDrift((what) => metrics.drifted(what))
  const endFollowingBridge = chassis.onAnotherBridge((now) => {
    log.info({ bridge: now }, 'the integration bridge is another one')
    reconciler.lookAnew().catch((error: unknown) => log.error({ err: error }, 'datapath could not be looked at'))
  })
  const release = () => {
    endFollowingBridge()
    host.close()
    return connection.close()
  }
  return {
    ...connection,
    chassisName: name,
    reconciler,
    get values() {
      return live.values
    },
    configure: live.configure,
    start: async () => {
      await reconciler.start()
    },
    close: async () => {
      await reconciler.stop()
      await release()
    },
    teardown: async () => {
      await reconciler.teardown()
      await host.settle()
      await release()
    },
  }
}

/** This machine as the OVN path changes it. */
export function chassisHost(state: StateDirectory, sockets: NamespaceSockets, ports: PortSwitch, log: Log): KernelHost {
  return new KernelHost({
    netnsPrefixes: [OVN_PREFIX],
    bridgePrefix: 'brq',
    statePath: state.path,
    sysctls: [],
    sockets,
    ports,
    warn: (what) => log.warn({ what }, 'datapath'),
  })
}

/** For whoever asks whether all is well. */
export function lastChassisPass(datapath: ChassisDatapath | undefined): LastPass | undefined {
  const state = datapath?.reconciler.state
  return state && { failed: [...state.history.troubles.values()] }
}

function served({ state }: Reconciler<LocalNetworks>) {
  const { namespaces, decisions } = state?.desired ?? { namespaces: new Map(), decisions: [] }
  const unserved = decisions.filter(({ answers }) => !answers).length
  return { networks: namespaces.size, namespaces: namespaces.size, unserved }
}

function guestPorts(southbound: OvsdbClient, chassisName: string): number {
  const [chassis] = southbound.find(CHASSIS, 'byName', chassisName)
  return chassis === undefined ? 0 : southbound.find(PORT_BINDING, 'byChassis', chassis._uuid).length
}
