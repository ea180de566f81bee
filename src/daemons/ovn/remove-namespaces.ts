import { openPortSwitch } from '../../datapath/open-vswitch/port-switch.ts'
import { NOTHING } from '../../datapath/plan.ts'
import { type Done, reconcileOnce } from '../../datapath/reconcile.ts'
import type { NamespaceSockets } from '../../host/listeners.ts'
import { markOf } from '../../host/mark.ts'
import { NO_SWITCH } from '../../host/port-switch.ts'
import type { OvsdbClient } from '../../ovsdb/ovsdb.ts'
import { type ChassisGiven, chassisHost } from './chassis-datapath.ts'

/**
 * Takes away what this or an earlier run has made on this machine, by what the kernel says alone: for the end of a run that
 * does not know, or cannot ask any more, what it serves. Ports of Open vSwitch go only while its database answers.
 *
 * @param local  it, whether it answers or not
 * @returns what stays, a sentence each
 */
export async function removeNamespaces(
  { state, sockets, log }: Pick<ChassisGiven, 'state' | 'log'> & { readonly sockets: NamespaceSockets },
  local: OvsdbClient,
): Promise<readonly string[]> {
  const isAnswering = local.status.state === 'synchronized'
  const ports = openPortSwitch(local, markOf(state.path))
  const host = chassisHost(state, sockets, isAnswering ? ports : NO_SWITCH, log)
  try {
    const { report } = await reconcileOnce({ host, log, desired: () => NOTHING, settled: new WeakMap() })
    await host.settle()
    const orphans = isAnswering ? [] : [...new Set([...ports.ours, ...report.done.flatMap(outerEnd)])]
    return [
      ...report.failed.map(({ where, cause }) => `${where} could not be removed: ${cause.message}`),
      ...(orphans.length === 0 ? [] : [portsLeft(orphans)]),
    ]
  } finally {
    host.close()
  }
}

function outerEnd({ command }: Done): readonly string[] {
  return command.kind === 'device-delete' && command.peer !== '' ? [command.peer] : []
}

function portsLeft(names: readonly string[]): string {
  return `Open vSwitch's database does not answer, so these ports stay in it: ${names.join(', ')}. The next run removes them, or "ovs-vsctl --if-exists del-port NAME".`
}
