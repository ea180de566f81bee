import { openInventory } from '../../inventory/catalog.ts'
import type { ApplyPlan } from '../../inventory/file/plan/plan-apply.ts'
import { applyChanges } from '../../inventory/memory-store.ts'
import type { RecordSet } from '../../inventory/records/records.ts'
import type { Server } from '../../inventory/records/server.ts'
import { InventoryRejected, type InventoryStore } from '../../inventory/store.ts'
import type { CloudConfigRules } from '../../lint/cloud-config/rules.ts'
import type { Finding } from '../../lint/finding.ts'
import { lintServer } from '../../lint/lint-server.ts'

export interface Examined {
  readonly server: Server
  readonly findings: readonly Finding[]
}

/** What would go wrong when these servers boot with these records. */
export async function examineServers(
  records: RecordSet,
  servers: Iterable<Server>,
  rules: CloudConfigRules,
  dhcpDomain: string,
): Promise<readonly Examined[]> {
  const inventory = openInventory(recordsAsStore(records))
  await inventory.ready
  const examined = Array.from(servers, (server) => {
    const instance = inventory.instance(server.id)
    const subject = instance && { server, instance, dhcpDomain }
    return { server, findings: subject === undefined ? [] : lintServer(subject, rules) }
  })
  inventory.close()
  return examined
}

/**
 * The same for the servers that an applied file adds or changes.
 * @param records  as they are now; the plan's changes may be among them already
 */
export async function examinePlanned(
  plan: ApplyPlan,
  records: RecordSet,
  rules: CloudConfigRules,
  dhcpDomain: string,
): Promise<readonly Examined[]> {
  const planned = applyChanges(records, plan.changes)
  const touched = plan.changes.flatMap((change) =>
    change.noun === 'server' && change.op === 'put' ? [change.record] : [],
  )
  return examineServers(planned, touched, rules, dhcpDomain)
}

/** Records that nobody changes any more, also those of a change that is only being considered. */
function recordsAsStore(records: RecordSet): InventoryStore {
  return {
    load: async () => ({ records, sequence: 0 }),
    commit: async () => {
      throw new InventoryRejected('these records are for reading')
    },
    follow: () => ({ caughtUp: async () => undefined, end: () => undefined }),
    deletedAmong: async () => new Set(),
    close: async () => undefined,
  }
}
