import type { Generators } from '../../src/inventory/file/generators.ts'
import { readInventory } from '../../src/inventory/file/load.ts'
import { type ApplyPlan, planApply } from '../../src/inventory/file/plan/plan-apply.ts'
import { formatProblem } from '../../src/inventory/file/problem.ts'
import { applyChanges } from '../../src/inventory/memory-store.ts'
import type { MacAddress } from '../../src/inventory/records/address.ts'
import { emptyRecordSet, type RecordSet } from '../../src/inventory/records/records.ts'

/** Generators that count, so that a failing test fails the same way again. */
export function countingGenerators(): Generators {
  let count = 0
  const next = (width: number) => {
    count += 1
    return count.toString(16).padStart(width, '0')
  }
  return {
    uuid: () => `00000000-0000-4000-8000-${next(12)}`,
    mac: () => `fa:16:3e:${next(6).replaceAll(/(..)(?=.)/g, '$1:')}` as MacAddress,
    reservationId: () => `r-${next(8)}`,
  }
}

/** An inventory that only tests see: `apply` makes it what a text says. */
export function inventoryUnderTest(generators = countingGenerators()) {
  let records: RecordSet = emptyRecordSet()
  return {
    get records() {
      return records
    },
    /** @returns the plan that was carried out, or the problems as a user reads them */
    apply(
      text: string,
      { prune = false, files = {} as Readonly<Record<string, Uint8Array>> } = {},
    ): ApplyPlan | string[] {
      const bytesOf = (name: string) => {
        const found = files[name]
        if (found === undefined) throw new Error('there is no such file')
        return found
      }
      const plan = planApply(records, readInventory('lab.yaml', text, bytesOf), generators, { prune, host: 'net1' })
      if ('problems' in plan) return plan.problems.map(formatProblem)
      records = applyChanges(records, plan.changes)
      return plan
    },
  }
}

/** The plan, or a failure that shows the problems. */
export function accepted(outcome: ApplyPlan | string[]): ApplyPlan {
  if (Array.isArray(outcome)) throw new Error(`refused:\n${outcome.join('\n')}`)
  return outcome
}
