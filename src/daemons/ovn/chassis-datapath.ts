import type { Values } from '../../config/option.ts'
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
import { type Following, followChassis } from '../../metadata-agent/ovn/follow-chassis.ts'
import { keepRegistered } from '../../metadata-agent/ovn/keep-registered.ts'
import type { LocalNetworks } from '../../metadata-agent/ovn/local-networks.ts'
import { longestHeartbeatDelaySeconds } from '../../metadata-agent/ovn/registration.ts'
import { CHASSIS, PORT_BINDING, SOUTHBOUND_TABLES } from '../../metadata-agent/ovn/southbound.ts'
import type { LastPass } from '../../observe/health.ts'
import type { Log } from '../../observe/log.ts'
import type { Metrics } from '../../observe/metrics/metrics.ts'
import { type AnyTable, type OvsdbClient, openOvsdb } from '../../ovsdb/ovsdb.ts'
import { changedProxyValues, type ProxyValues, proxyConfig, proxyValues, requireHaproxy } from '../proxy-config.ts'
import type { StateDirectory } from '../state-directory.ts'
import { openChassis } from './chassis.ts'
import type { Databases } from './databases.ts'
import { tellMissingFeatures } from './missing-features.ts'
import { networkSource } from './network-source.ts'
import { tlsOf } from './tls.ts'

/** The options of the OVN path, under the field's names. */
export type ChassisValues = Values<typeof ovnOptions> & ProxyValues

/** Keeps a metadata namespace for every network of guests on this chassis, and says in OVN that it does. */
export interface ChassisDatapath {
  /** Of this chassis in OVN. */
  readonly chassisName: string
  readonly southbound: OvsdbClient
  /** Another connection to it, for what else is to be known. */
  readonly connectSouthbound: (tables: readonly AnyTable[]) => OvsdbClient
  /** What of the Southbound this chassis needs. */
  readonly following: Following
  readonly reconciler: Reconciler<LocalNetworks>
  /** Of what answers in the namespaces; in force now. */
  readonly values: ProxyValues
  /** Puts others in force. Resolves when a pass has acted on them. @returns what changed, one a line
   *  @throws HostError when they name a program that is not installed; then those before stay in force */
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

/** Followed for it, in this order. */
export const CHASSIS_DATABASES = ['Open_vSwitch', 'OVN_Southbound']

/** Resolves when the local database is known. */
export async function openChassisDatapath(given: ChassisGiven): Promise<ChassisDatapath> {
  const { state, sockets, agentSocket, databases, metrics, log } = given
  const { local, name, bridge, remote } = await openChassis(given.values.ovsdb_connection, databases, log)
  const connectSouthbound = (tables: readonly AnyTable[]) => openSouthbound(remote, given.values, tables)
  const southbound = connectSouthbound(SOUTHBOUND_TABLES)
  databases.follow('OVN_Southbound', southbound, SOUTHBOUND_TABLES)
  tellMissingFeatures(southbound, log)
  const following = followChassis(southbound, name)
  const endRegistration = keepRegistered(southbound, {
    systemId: name,
    bridge,
    longestDelayMilliseconds: longestHeartbeatDelaySeconds(given.values.agent_down_time) * 1_000,
    onFailure: (error) => log.warn({ err: error }, 'this chassis could not be registered'),
  })
  const host = new KernelHost({
    netnsPrefixes: [OVN_PREFIX],
    bridgePrefix: 'brq',
    statePath: state.path,
    sysctls: [],
    sockets: await sockets,
    ports: openPortSwitch(local, markOf(state.path)),
    warn: (what) => log.warn({ what }, 'datapath'),
  })
  const ipv6 = hasIpv6()
  let values = proxyValues(given.values)
  const config = (): OvnConfig => ({
    ...proxyConfig(values, { statePath: state.path, agentSocket }),
    bridge: bridge(),
    hasIpv6: ipv6,
  })
  const reconciler = new Reconciler({
    source: networkSource(southbound, name, following),
    desired: (networks) => ovnDesired(networks, config()),
    resume: (observed) => resumedOvnListeners(observed, config()),
    host,
    log,
    onPass: (report, milliseconds) => {
      metrics.reconciled(report, milliseconds)
      const { namespaces, decisions } = reconciler.state?.desired ?? { namespaces: new Map(), decisions: [] }
      metrics.serving({
        networks: namespaces.size,
        namespaces: namespaces.size,
        ports: guestPorts(southbound, name),
        unserved: decisions.filter(({ answers }) => !answers).length,
      })
    },
  })
  host.onDrift((what) => metrics.drifted(what))
  const endFollowingBridge = onAnotherBridge(local, bridge, (now) => {
    log.info({ bridge: now }, 'the integration bridge is another one')
    reconciler.lookAnew().catch((error: unknown) => log.error({ err: error }, 'datapath could not be looked at'))
  })
  const release = async () => {
    endRegistration()
    endFollowingBridge()
    following.end()
    await southbound.close()
    await local.close()
  }
  return {
    chassisName: name,
    southbound,
    connectSouthbound,
    following,
    reconciler,
    get values() {
      return values
    },
    configure: async (wanted) => {
      const next = proxyValues(wanted)
      const changed = changedProxyValues(values, next)
      if (changed.length === 0) return changed
      await requireHaproxy(values, next)
      values = next
      log.info({ changed }, 'options changed')
      await reconciler.lookAnew()
      return changed
    },
    start: async () => {
      await reconciler.start()
    },
    close: async () => {
      await reconciler.stop()
      host.close()
      await release()
    },
    teardown: async () => {
      await reconciler.teardown()
      await host.settle()
      host.close()
      await release()
    },
  }
}

/** For whoever asks whether all is well. */
export function lastChassisPass(datapath: ChassisDatapath | undefined): LastPass | undefined {
  const state = datapath?.reconciler.state
  return state && { failed: [...state.history.troubles.values()] }
}

function guestPorts(southbound: OvsdbClient, chassisName: string): number {
  const [chassis] = southbound.find(CHASSIS, 'byName', chassisName)
  return chassis === undefined ? 0 : southbound.find(PORT_BINDING, 'byChassis', chassis._uuid).length
}

function openSouthbound(remote: string | undefined, values: ChassisValues, tables: readonly AnyTable[]): OvsdbClient {
  const remotes = values.ovn_sb_connection || remote
  if (remotes === undefined)
    throw new Error(
      'where is the Southbound database? Neither ovn_sb_connection nor external_ids:ovn-remote of Open_vSwitch says',
    )
  return openOvsdb({
    remotes,
    database: 'OVN_Southbound',
    tables,
    probeMilliseconds: values.ovsdb_probe_interval,
    ...tlsOf('ovn_sb', values),
  })
}

function onAnotherBridge(local: OvsdbClient, bridge: () => string, tell: (bridge: string) => void): () => void {
  let present = bridge()
  return local.onChanges(() => {
    if (bridge() === present) return
    present = bridge()
    tell(present)
  })
}
