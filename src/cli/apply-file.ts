import { hostname } from 'node:os'
import { applyInventory } from '../inventory/file/apply.ts'
import { randomGenerators } from '../inventory/file/generators.ts'
import { loadInventoryFile } from '../inventory/file/load.ts'
import type { ApplyPlan } from '../inventory/file/plan/plan-apply.ts'
import { formatProblem, type Problem } from '../inventory/file/problem.ts'
import type { InventoryStore } from '../inventory/store.ts'

/** An inventory file that is refused as a whole; nothing was changed. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused'
  readonly problems: readonly Problem[]
  constructor(file: string, problems: readonly Problem[]) {
    const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
    super([...problems.map(formatProblem), `${file} was refused (${count}); nothing was changed.`].join('\n'))
    this.problems = problems
  }
}

/** Makes the inventory what a file says. @throws FileRefused naming everything that is wrong with it */
export async function applyFile(
  store: InventoryStore,
  file: string,
  { prune = false, dryRun = false } = {},
): Promise<ApplyPlan> {
  const options = { prune, host: hostname(), isDry: dryRun }
  const plan = await applyInventory(store, loadInventoryFile(file), randomGenerators, options)
  if ('problems' in plan) throw new FileRefused(file, plan.problems)
  return plan
}
