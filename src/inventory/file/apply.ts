import { InventoryConflict, type InventoryStore } from '../store.ts'
import type { Generators } from './generators.ts'
import type { InventoryFile } from './load.ts'
import { type ApplyOptions, type ApplyPlan, planApply } from './plan/plan-apply.ts'
import type { Problem } from './problem.ts'

/**
 * Makes the inventory what the file says, in one commit. When somebody else commits meanwhile the changes are worked
 * out anew against what is there then.
 * @param isDry  only work out what would change
 */
export async function applyInventory(
  store: InventoryStore,
  file: InventoryFile,
  generators: Generators,
  options: ApplyOptions & { readonly isDry: boolean },
): Promise<ApplyPlan | { readonly problems: readonly Problem[] }> {
  for (;;) {
    const { records, sequence } = await store.load()
    const plan = planApply(records, file, generators, options)
    if ('problems' in plan || options.isDry || plan.changes.length === 0) return plan
    try {
      await store.commit(plan.changes, sequence)
      return plan
    } catch (error) {
      if (!(error instanceof InventoryConflict)) throw error
    }
  }
}
