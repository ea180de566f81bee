import { datapathOptions } from '../config/options/datapath.ts'
import { datapathStatus, plannedSteps } from '../datapath/status.ts'
import { HostError } from '../host/errors.ts'
import { formerInterfaceChanges } from '../inventory/former-interfaces.ts'
import { applyChanges } from '../inventory/memory-store.ts'
import { type Change, NOUNS } from '../inventory/records/records.ts'
import type { Inventory } from '../inventory/store.ts'
import { nearest } from '../text/nearest.ts'
import type { RunningDatapath } from './datapath.ts'
import type { DatapathValues } from './datapath-config.ts'
import { BadQuestion, type ManagementRoutes } from './management.ts'

/** What an operator asks of the datapath while it runs. */
export function datapathRoutes(datapath: RunningDatapath, inventory: Inventory): ManagementRoutes {
  const { reconciler } = datapath
  return {
    'GET /datapath/status': async () => {
      const { done } = await reconciler.look()
      // What a pass saw is from before it acted.
      if (done.length > 0) await reconciler.look()
      return reconciler.state === undefined ? null : datapathStatus(reconciler.state)
    },
    'GET /datapath/plan': async () => plannedSteps(await reconciler.preview()),
    // As if these changes of the inventory were made: `{ "changes": [...] }`.
    'POST /datapath/plan': async (asked) => {
      const changes = changesIn(asked)
      const { records } = inventory
      const own = formerInterfaceChanges(records, changes, Math.floor(Date.now() / 1_000))
      return plannedSteps(await reconciler.preview(applyChanges(records, [...changes, ...own])))
    },
    'GET /config': async () => datapath.values,
    // Options as text, as a flag gives them: `{ "force_metadata": "true" }`. In force until the end or a SIGHUP.
    'PUT /config': async (asked) => ({
      changed: await datapath.configure(changedValues(datapath.values, asked)).catch(refuse),
    }),
  }
}

function refuse(error: unknown): never {
  throw error instanceof HostError ? new BadQuestion(error.message, { cause: error }) : error
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

function changedValues(before: DatapathValues, asked: unknown): DatapathValues {
  if (typeof asked !== 'object' || asked === null || Array.isArray(asked))
    throw new BadQuestion('give an object of options and their values')
  const options: Readonly<Record<string, { readonly parse: (text: string) => unknown }>> = datapathOptions
  const changes = Object.entries(asked).map(([name, text]) => {
    const option = options[name]
    if (option === undefined) throw new BadQuestion(`there is no option ${name} of the datapath${didYouMean(name)}`)
    try {
      return [name, option.parse(String(text))]
    } catch (error) {
      throw new BadQuestion(`${name}: ${error instanceof Error ? error.message : error}`)
    }
  })
  return { ...before, ...Object.fromEntries(changes) }
}

function didYouMean(name: string): string {
  const near = nearest(name, Object.keys(datapathOptions))
  return near === undefined ? '' : `; did you mean ${near}?`
}
