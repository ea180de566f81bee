import { type Following, followChassis } from '../../metadata-agent/ovn/follow-chassis.ts'
import { keepRegistered } from '../../metadata-agent/ovn/keep-registered.ts'
import { longestHeartbeatDelaySeconds } from '../../metadata-agent/ovn/registration.ts'
import { SOUTHBOUND_TABLES } from '../../metadata-agent/ovn/southbound.ts'
import type { Log } from '../../observe/log.ts'
import { type AnyTable, type OvsdbClient, openOvsdb } from '../../ovsdb/ovsdb.ts'
import type { Chassis } from './chassis.ts'
import type { ChassisValues } from './chassis-datapath.ts'
import type { Databases } from './databases.ts'
import { tellMissingFeatures } from './missing-features.ts'
import { tlsOf } from './tls.ts'

/** A chassis and the Southbound database: what it needs of it is followed, and that an agent is here is said there. */
export interface ChassisConnection {
  readonly southbound: OvsdbClient
  /** Another connection to it, for what else is to be known. */
  readonly connectSouthbound: (tables: readonly AnyTable[]) => OvsdbClient
  /** What of the Southbound this chassis needs. */
  readonly following: Following
  close(): Promise<void>
}

export function connectChassis(
  { name, bridge, southbound: remotes }: Chassis,
  values: ChassisValues,
  databases: Databases,
  log: Log,
): ChassisConnection {
  const connectSouthbound = (tables: readonly AnyTable[]) =>
    openOvsdb({
      remotes,
      database: 'OVN_Southbound',
      tables,
      probeMilliseconds: values.ovsdb_probe_interval,
      ...tlsOf('ovn_sb', values),
    })
  const southbound = connectSouthbound(SOUTHBOUND_TABLES)
  databases.follow('OVN_Southbound', southbound, SOUTHBOUND_TABLES)
  tellMissingFeatures(southbound, log)
  const following = followChassis(southbound, name)
  const endRegistration = keepRegistered(southbound, {
    systemId: name,
    bridge,
    longestDelayMilliseconds: longestHeartbeatDelaySeconds(values.agent_down_time) * 1_000,
    onFailure: (error) => log.warn({ err: error }, 'this chassis could not be registered'),
  })
  return {
    southbound,
    connectSouthbound,
    following,
    close: () => {
      endRegistration()
      following.end()
      return southbound.close()
    },
  }
}
