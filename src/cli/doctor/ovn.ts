import { existsSync } from 'node:fs'
import { ovnOptions } from '../../config/options/ovn.ts'
import { OWNER_KEY } from '../../datapath/open-vswitch/tables.ts'
import { OVN_PREFIX } from '../../datapath/ovn/namespace.ts'
import type { OvnHost } from '../../doctor/facts.ts'
import { type Known, known } from '../../host/examine/known.ts'
import { linksOutside } from '../../host/examine/namespace.ts'
import { type NetworkFacts, statePathOf } from '../../host/examine/network.ts'
import { ovnPrograms } from '../../host/examine/ovn-programs.ts'
import type { Rows } from '../../ovsdb/ovsdb.ts'
import type { RunningDaemon } from '../explain/daemons.ts'
import { valuesOf } from '../explain/gather.ts'
import { type ChassisConnections, openLocal, openSouthbound, reached } from '../explain/ovn/connect.ts'
import { switchId } from '../explain/ovn/switch.ts'
import { BRIDGE, LOCAL_TABLES, PORT, PORT_BINDING } from '../explain/ovn/tables.ts'

export interface OvnQuestion {
  /** On the state directory. */
  readonly running: readonly RunningDaemon[]
  /** As flags and environment say. */
  readonly values: ChassisConnections & { readonly datapath: 'bridges' | 'ovn' }
  readonly network: NetworkFacts
}

/** What there is of OVN on this host. @returns undefined when there is nothing, and nobody asks for it */
export async function ovnFacts({ running, values, network }: OvnQuestion): Promise<OvnHost | undefined> {
  const connections = valuesOf<ChassisConnections>(running, ['ovn-metadata-agent', 'up'], ovnOptions, values)
  const isAsked =
    values.datapath === 'ovn' ||
    running.some((each) => each.command === 'ovn-metadata-agent' || each.values['datapath'] === 'ovn')
  const programs = ovnPrograms()
  const local = await reached(openLocal(connections, LOCAL_TABLES))
  try {
    const rows = local.problem === undefined ? local.client : undefined
    const remote = connections.ovn_sb_connection || (rows && switchId(rows, 'ovn-remote'))
    const isChassis = remote !== undefined || ('value' in programs && programs.value.has('ovn-controller'))
    if (!isAsked && !isChassis) return undefined
    return {
      programs,
      hasKernelModule: existsSync('/sys/module/openvswitch'),
      local: { remote: connections.ovsdb_connection, problem: local.problem },
      southbound: { remote, ...(await southboundFacts(remote, connections)) },
      chassis:
        rows === undefined
          ? { unknown: 'Open vSwitch’s database cannot be read' }
          : known('the links', () => chassisOf(rows)),
      foreignNamespaces: foreignNamespaces(network),
    }
  } finally {
    await local.client.close()
  }
}

/** Columns that make a difference to guests where they are missing. */
const LATER_COLUMNS = ['requested_chassis', 'additional_chassis', 'requested_additional_chassis'] as const

async function southboundFacts(
  remote: string | undefined,
  values: ChassisConnections,
): Promise<{ readonly problem: string | undefined; readonly lacks: Known<readonly string[]> }> {
  const unread = { unknown: 'the Southbound cannot be read' }
  if (remote === undefined) return { problem: undefined, lacks: unread }
  const client = openSouthbound(remote, values, [PORT_BINDING])
  void client.setCondition(PORT_BINDING, false).catch(() => undefined)
  try {
    const { problem } = await reached(client)
    if (problem !== undefined) return { problem, lacks: unread }
    const lacks = LATER_COLUMNS.filter((column) => !client.hasColumn(PORT_BINDING, column))
    return { problem, lacks: { value: lacks.map((column) => `Port_Binding.${column}`) } }
  } finally {
    await client.close()
  }
}

function chassisOf(rows: Rows) {
  const bridge = switchId(rows, 'ovn-bridge') ?? 'br-int'
  const there = new Set(Array.from(linksOutside().values(), ({ name }) => name))
  return {
    systemId: switchId(rows, 'system-id'),
    bridge,
    datapathType: rows.find(BRIDGE, 'byName', bridge)[0]?.datapath_type,
    ports: Array.from(rows.all(PORT)).flatMap(({ name, external_ids }) => {
      const mark = external_ids.get(OWNER_KEY)
      return mark === undefined ? [] : [{ name, statePath: statePathOf(mark), isThere: there.has(name) }]
    }),
  }
}

function foreignNamespaces({ marked, namesByInode }: NetworkFacts): readonly string[] {
  if ('unknown' in marked) return []
  const ours = new Set(marked.value.map(({ name }) => name))
  return [...namesByInode.values()].filter((name) => name.startsWith(OVN_PREFIX) && !ours.has(name)).sort()
}
