import { realpathSync } from 'node:fs'
import { proxyOptions } from '../../../config/options/datapath.ts'
import { northboundOptions, ovnOptions } from '../../../config/options/ovn.ts'
import type { DriveValues } from '../../../daemons/drives.ts'
import type { OvnStatus } from '../../../daemons/ovn/status-route.ts'
import { type ProxyValues, proxyConfig } from '../../../daemons/proxy-config.ts'
import type { StateDirectory } from '../../../daemons/state-directory.ts'
import { openPortSwitch } from '../../../datapath/open-vswitch/port-switch.ts'
import type { Facts } from '../../../explain/facts.ts'
import type { OvnFacts, Traces } from '../../../explain/ovn/facts.ts'
import type { Known } from '../../../host/examine/known.ts'
import { ovnPrograms } from '../../../host/examine/ovn-programs.ts'
import { markOf } from '../../../host/mark.ts'
import { patience, slowdown } from '../../../host/slowdown.ts'
import { findPorts } from '../../../metadata-agent/ovn/find-ports.ts'
import { askOperator, hostFacts, type RunningDaemon } from '../daemons.ts'
import { valuesOf } from '../gather.ts'
import { agentSocketOf, hopFacts } from '../hops.ts'
import { foundPorts } from '../path.ts'
import type { OvnConnections } from './connect.ts'
import { type Databases, openDatabases } from './databases.ts'
import { documentsTold, type OvnInventory } from './inventory.ts'
import { lookAtGuest, type Seen } from './seen.ts'
import { nbCfgOf, northdBehind, southboundFacts, watchBinding } from './southbound.ts'
import type { Asked } from './subject.ts'
import { CHASSIS } from './tables.ts'
import { traces } from './trace.ts'
import { ovnWay, unseen } from './way.ts'

export interface OvnGathering {
  readonly state: StateDirectory
  readonly daemons: Known<readonly RunningDaemon[]>
  /** Of a cloud without Neutron; undefined: the Southbound is all there is. */
  readonly inventory: OvnInventory | undefined
  readonly asked: Asked
  /** As flags and environment say; what the running daemon was started with goes before. */
  readonly values: OvnConnections & DriveValues & ProxyValues
}

const STATUS_MILLISECONDS = 600
const DAEMONS = ['ovn-metadata-agent', 'up']

const BY_SWITCH = { unknown: 'Open vSwitch carries the guest' }
const BY_FLOWS = { unknown: 'OVN answers in the place of others' }

/** Everything that one explanation on OVN goes by. What does not depend on another is asked at once.
 *  @throws UsageError when nobody, or several, are meant */
export async function gatherOvnFacts(gathering: OvnGathering): Promise<OvnFacts> {
  const { state, daemons, inventory, values } = gathering
  const running = 'value' in daemons ? daemons.value : []
  const host = hostFacts(state, daemons)
  const status = askOperator<OvnStatus>(state, '/ovn/status', patience(STATUS_MILLISECONDS))
  const inForce = askOperator<ProxyValues>(state, '/config', patience(STATUS_MILLISECONDS))
  const options = { ...ovnOptions, ...northboundOptions, ...proxyOptions }
  const told = valuesOf<OvnConnections & ProxyValues>(running, DAEMONS, options, values)
  const asked = inventory === undefined ? gathering.asked : { wanted: inventory.wanted.port?.id ?? '', network: '' }
  const databases = await openDatabases(told, asked, inventory !== undefined)
  try {
    const surroundings = { statePath: realpathSync(state.path), agentSocket: agentSocketOf(state, running) }
    const config = proxyConfig((await inForce) ?? told, surroundings)
    const seen = lookAtGuest(databases, asked, inventory, config)
    const { records, path } = seen
    const southbound = followed(databases, seen)
    const behind = northdBehind(databases)
    const [way, flows, hops, hostSeen, said, northd, rest] = await Promise.all([
      wayFacts(gathering, databases, seen),
      flowFacts(databases, told, seen),
      hopFacts(state, running, records, path),
      host,
      status,
      databases.hasNorthd(),
      documentsTold(state, inventory, records, values),
    ])
    const { veth, ...ours } = way
    return {
      now: Date.now(),
      slowdown: slowdown(),
      records: { ...records, found: foundBy(databases, inventory, seen) },
      path,
      host: hostSeen,
      ...ours,
      ...hops,
      ...rest,
      plug: BY_SWITCH,
      offers: BY_FLOWS,
      claims: BY_FLOWS,
      ovn: {
        databases: databases.access(said),
        programs: ovnPrograms(),
        hasNorthd: northd,
        northdBehind: behind(),
        local: seen.own === undefined ? { unknown: 'Open vSwitch cannot be asked' } : { value: seen.own },
        southbound: southbound(),
        veth,
        traces: flows,
      },
    }
  } finally {
    await databases.close()
  }
}

/** @returns what tells what has become of the guest's binding meanwhile */
function followed({ southbound, chassisName = '' }: Databases, { row }: Seen): () => OvnFacts['ovn']['southbound'] {
  if (southbound === undefined) return () => ({ unknown: 'the Southbound cannot be read' })
  const wasCfg = nbCfgOf(southbound)
  const bound = watchBinding(southbound, row)
  return () => ({ value: southboundFacts(southbound, chassisName, row, { wasCfg, bound: bound() }) })
}

async function wayFacts({ state }: OvnGathering, { local, southbound, chassisName }: Databases, seen: Seen) {
  const { row, records, path, desired, own } = seen
  if (desired === undefined || local === undefined || southbound === undefined)
    return unseen('it is not known what should be here')
  const isHere = own !== undefined && own.guest.length > 0
  const boundTo = row?.chassis && southbound.get(CHASSIS, row.chassis)?.name
  const isElsewhere = boundTo !== undefined && boundTo !== chassisName && !isHere
  if (isElsewhere) return unseen('the guest is on another chassis')
  const statePath = realpathSync(state.path)
  const switchPorts = openPortSwitch(local, markOf(statePath))
  return ovnWay({ records, path, desired, statePath, switchPorts, tap: own?.guest[0]?.name })
}

async function flowFacts({ remote }: Databases, values: OvnConnections, seen: Seen): Promise<Known<Traces>> {
  const { row, metadata, records } = seen
  const { port } = records
  if (remote === undefined || row === undefined || port === undefined)
    return { unknown: 'OVN has no port to trace from' }
  if (metadata?.mac === undefined) return { unknown: 'the network has no metadata port to trace to' }
  const addresses = port.fixedIps.map(({ ipAddress }) => ipAddress)
  if (addresses.length === 0) return { unknown: 'the guest has no address to ask from' }
  return traces({
    southbound: remote,
    values,
    datapath: row.datapath,
    guest: { port: row.logical_port, mac: port.macAddress, addresses },
    metadata: { port: metadata.logicalPort, mac: metadata.mac },
  })
}

/** The ports that whoever answers would find. */
function foundBy(
  { southbound }: Databases,
  of: OvnInventory | undefined,
  { records, path }: Seen,
): Facts['records']['found'] {
  const { fixedIp, network } = records
  if (of !== undefined) return foundPorts(of.inventory, records, path)
  if (southbound === undefined || fixedIp === undefined || network === undefined) return []
  return findPorts(southbound, network.id, { fixedIp: fixedIp.ipAddress })
}
