import { datapathOptions } from '../config/options/datapath.ts'
import type { Reconciler } from '../datapath/reconciler.ts'
import { datapathStatus, plannedSteps } from '../datapath/status.ts'
import { formerInterfaceChanges } from '../inventory/former-interfaces.ts'
import { applyChanges } from '../inventory/memory-store.ts'
import { type Change, NOUNS } from '../inventory/records/records.ts'
import type { Inventory } from '../inventory/store.ts'
import { configRoutes } from './config-routes.ts'
import type { RunningDatapath } from './datapath.ts'
import { BadQuestion, type ManagementRoutes } from './management.ts'

/**
 * What can be asked of a datapath, wherever what is wanted is known from. Until that is known the answer is that it is not,
 * at once: it may be long in coming.
 *
 * @param waitedFor  says what is
 */
export function reconcilerRoutes<R>(
  reconciler: Reconciler<R>,
  waitedFor: () => string = () => 'the inventory is being read',
): ManagementRoutes {
  const requireReady = () => {
    if (!reconciler.isReady)
      throw new BadQuestion(`${waitedFor()}. Until then namespaces of an earlier run stay as they are`)
  }
  return {
    'GET /datapath/status': async () => {
      requireReady()
      const { done } = await reconciler.look()
      // What a pass saw is from before it acted.
      if (done.length > 0) await reconciler.look()
      return reconciler.state === undefined ? null : datapathStatus(reconciler.state)
    },
    'GET /datapath/plan': async () => {
      requireReady()
      return plannedSteps(await reconciler.preview())
    },
  }
}

/** What an operator asks of the datapath while it runs. */
export function datapathRoutes(datapath: RunningDatapath, inventory: Inventory): ManagementRoutes {
  const { reconciler } = datapath
  return {
    ...reconcilerRoutes(reconciler),
    // As if these changes of the inventory were made: `{ "changes": [...] }`.
    'POST /datapath/plan': async (asked) => {
      const changes = changesIn(asked)
      const { records } = inventory
      const own = formerInterfaceChanges(records, changes, Math.floor(Date.now() / 1_000))
      return plannedSteps(await reconciler.preview(applyChanges(records, [...changes, ...own])))
    },
    ...configRoutes(datapath, datapathOptions),
  }
}

function changesIn(asked: unknown): readonly Change[] {
  const changes = typeof asked === 'object' && asked !== null && 'changes' in asked ? asked.changes : undefined
  if (!Array.isArray(changes) || !changes.every(isChange)) throw new BadQuestion('give {"changes": [...]}')
  return changes
}

/** What is wrong inside a record only a planner would notice; whoever may ask here may change the inventory too. */
function isChange(change: unknown): change is Change {
  if (typeof change !== 'object' || change === null || !('op' in change) || !('noun' in change)) return false
  if (!NOUNS.some((noun) => noun === change.noun)) return false
  return change.op === 'put' ? 'record' in change : change.op === 'delete' && 'id' in change
}
