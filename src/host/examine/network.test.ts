import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MARK, markOf } from '../mark.ts'
import { statePathOf } from './network.ts'

describe('the state directory of a mark', () => {
  const cases: readonly (readonly [mark: string, want: string | undefined])[] = [
    [markOf('/var/lib/firstboot'), '/var/lib/firstboot'],
    [markOf("/srv/it's 100% é\n/x"), "/srv/it's 100% é\n/x"],
    [markOf(`/${'long/'.repeat(80)}`), undefined],
    [MARK, undefined],
    [`${MARK}:/%zz`, undefined],
  ]
  for (const [mark, want] of cases) it(`${mark.slice(0, 40)} is ${want}`, () => assert.equal(statePathOf(mark), want))
})
