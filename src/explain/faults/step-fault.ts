import type { Command } from '../../host/host.ts'
import type { Facts, PlannedStep } from '../facts.ts'
import { type Fault, knownOf, type Severity, type Spot } from '../fault.ts'
import { familyOfCommand, severityOf } from '../ipv6.ts'

export const REPAIRED = 'firstboot up repairs it within 2 s; when it does not, firstboot datapath status says why'

/** What the datapath would do now, as somebody who only looks sees it. */
export function stepFault(
  kinds: readonly Command['kind'][],
  words: Pick<Fault, 'id' | 'symptom' | 'cause' | 'recognised' | 'expected'> & Partial<Pick<Fault, 'step' | 'mend'>>,
  isMeant: (step: PlannedStep) => boolean = () => true,
  severity: (facts: Facts, step: PlannedStep) => Severity = harm,
): Fault {
  return {
    step: 'namespace',
    severity: 'broken',
    mend: REPAIRED,
    ...words,
    judge: (facts) => {
      const { steps, host, path } = facts
      const all = knownOf(steps) ?? []
      const isMissing = ({ where }: PlannedStep) =>
        all.some((each) => each.where === where && each.command.kind === 'netns-add')
      // Of a namespace that is not there everything is missing, and of one that is not to be nothing.
      if (path.kind === 'none') return undefined
      return all
        .filter((each) => kinds.includes(each.command.kind) && isMeant(each))
        .filter((each) => kinds.includes('netns-add') || !isMissing(each))
        .map((each) => ({ severity: severity(facts, each), ...spotOf(each, host) }))
    },
  }
}

/** What concerns one family alone does no harm to a guest that asks by the other. */
function harm(facts: Facts, { command }: PlannedStep): Severity {
  return severityOf(facts, familyOfCommand(command))
}

function spotOf({ where, why }: PlannedStep, { troubles }: Facts['host']): Exclude<Spot, string> {
  const trouble = troubles.find((each) => each.where === where)
  const observed = `${where}: ${why}`
  return { observed: trouble === undefined ? observed : `${observed}; ${trouble.what} fails: ${trouble.message}` }
}
