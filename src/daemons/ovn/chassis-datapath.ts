import { openPortSwitch } from '../../datapath/open-vswitch/port-switch.ts'
import { ovnDesired } from '../../datapath/ovn/desired.ts'
import { OVN_PREFIX } from '../../datapath/ovn/namespace.ts'
import { Reconciler } from '../../datapath/reconciler.ts'
import { resumedOvnListeners } from '../../datapath/resume.ts'
import { datapathStatus, plannedSteps } from '../../datapath/status.ts'
import { hasIpv6 } from '../../host/ipv6.ts'
import { KernelHost } from '../../host/kernel-host.ts'
import type { NamespaceSockets } from '../../host/listeners.ts'
import { markOf } from '../../host/mark.ts'
import { followChassis } from '../../metadata-agent/ovn/follow-chassis.ts'
import { keepRegistered } from '../../metadata-agent/ovn/keep-registered.ts'
import { longestHeartbeatDelaySeconds } from '../../metadata-agent/ovn/registration.ts'
import { SOUTHBOUND_TABLES } from '../../metadata-agent/ovn/southbound.ts'
import type { Log } from '../../observe/log.ts'
import { type OvsdbClient, openOvsdb } from '../../ovsdb/ovsdb.ts'
import type { ManagementRoutes } from '../management.ts'
import type { StateDirectory } from '../state-directory.ts'
import { openChassis, tellStatus } from './chassis.ts'
import { networkSource } from './network-source.ts'
import { ovnStatusRoute } from './status-route.ts'
import { type TlsFiles, tlsOf } from './tls.ts'

/** The options of the OVN path, under the field's names. */
export interface ChassisValues {
  readonly ovsdb_connection: string
  readonly ovn_sb_connection: string
  readonly ovn_sb_private_key: string
  readonly ovn_sb_certificate: string
  readonly ovn_sb_ca_cert: string
  readonly ovsdb_probe_interval: number
  readonly agent_down_time: number
}

/** Keeps a metadata namespace for every network of guests on this chassis, and says in OVN that it does. */
export interface ChassisDatapath {
  /** Of this chassis in OVN. */
  readonly chassisName: string
  readonly southbound: OvsdbClient
  /** The rows of the Southbound are those that this chassis needs now. */
  readonly isSettled: () => boolean
  readonly routes: ManagementRoutes
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
  readonly log: Log
}

/** Resolves when the local database is known. */
export async function openChassisDatapath({ state, values, sockets, log }: ChassisGiven): Promise<ChassisDatapath> {
  const { local, name, bridge, remote } = await openChassis(values.ovsdb_connection, log)
  const southbound = openSouthbound(remote, values, log)
  const following = followChassis(southbound, name)
  const endRegistration = keepRegistered(southbound, {
    systemId: name,
    bridge,
    longestDelayMilliseconds: longestHeartbeatDelaySeconds(values.agent_down_time) * 1_000,
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
  const reconciler = new Reconciler({
    source: networkSource(southbound, name, following),
    desired: (networks) => ovnDesired(networks, { bridge: bridge(), hasIpv6: ipv6 }),
    resume: resumedOvnListeners,
    host,
    log,
  })
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
    isSettled: following.isSettled,
    routes: {
      ...ovnStatusRoute(name, { Open_vSwitch: local, OVN_Southbound: southbound }),
      'GET /datapath/status': async () => {
        const { done } = await reconciler.look()
        // What a pass saw is from before it acted.
        if (done.length > 0) await reconciler.look()
        return reconciler.state === undefined ? null : datapathStatus(reconciler.state)
      },
      'GET /datapath/plan': async () => plannedSteps(await reconciler.preview()),
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

function openSouthbound(remote: string | undefined, values: ChassisValues, log: Log): OvsdbClient {
  const remotes = values.ovn_sb_connection || remote
  if (remotes === undefined)
    throw new Error(
      'where is the Southbound database? Neither --ovn-sb-connection nor external_ids:ovn-remote of Open_vSwitch says',
    )
  const files: TlsFiles = {
    key: values.ovn_sb_private_key,
    certificate: values.ovn_sb_certificate,
    authorities: values.ovn_sb_ca_cert,
  }
  const southbound = openOvsdb({
    remotes,
    database: 'OVN_Southbound',
    tables: SOUTHBOUND_TABLES,
    probeMilliseconds: values.ovsdb_probe_interval,
    ...tlsOf(files),
  })
  tellStatus(southbound, 'OVN_Southbound', log)
  return southbound
}

function onAnotherBridge(local: OvsdbClient, bridge: () => string, tell: (bridge: string) => void): () => void {
  let present = bridge()
  return local.onChanges(() => {
    if (bridge() === present) return
    present = bridge()
    tell(present)
  })
}
