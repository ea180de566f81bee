import type { Command } from '../../host/host.ts'
import type { Facts, PlannedStep } from '../facts.ts'
import { type Fault, knownOf, type Spot } from '../fault.ts'

export const REPAIRED = 'firstboot up repairs it within 2 s; when it does not, firstboot datapath status says why'

/** What the datapath would do now, as somebody who only looks sees it. */
export function stepFault(
  kinds: readonly Command['kind'][],
  words: Pick<Fault, 'id' | 'symptom' | 'cause' | 'recognised' | 'expected'> & Partial<Pick<Fault, 'step' | 'mend'>>,
  isMeant: (step: PlannedStep) => boolean = () => true,
): Fault {
  return {
    step: 'namespace',
    severity: 'broken',
    mend: REPAIRED,
    ...words,
    judge: ({ steps, host, path, inside }) => {
      // Of a namespace that is not there everything is missing, and of one that is not to be nothing.
      if (path.kind === 'none' || (!kinds.includes('netns-add') && 'value' in inside && inside.value === undefined))
        return undefined
      return (knownOf(steps) ?? [])
        .filter((each) => kinds.includes(each.command.kind) && isMeant(each))
        .map(({ where, why }) => spotOf(where, why, host))
    },
  }
}

function spotOf(where: string, why: string, { troubles }: Facts['host']): Spot {
  const trouble = troubles.find((each) => each.where === where)
  const observed = `${where}: ${why}`
  return trouble === undefined ? observed : { observed: `${observed}; ${trouble.what} fails: ${trouble.message}` }
}
