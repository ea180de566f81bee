import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { missingFeatures } from './features.ts'

const without = (...absent: readonly string[]) => ({
  hasColumn: ({ name }: { readonly name: string }, column: string) =>
    !absent.some((each) => each === name || each === `${name}.${column}`),
})

describe('what a Southbound database is too old for', () => {
  it('is nothing where every column is there', () => assert.deepEqual(missingFeatures(without()), []))

  it('is named with the release that brought it, and what follows', () =>
    assert.deepEqual(missingFeatures(without('Port_Binding.requested_chassis', 'Chassis_Private')), [
      'no Port_Binding.requested_chassis (since OVN 21.03): a guest is answered once its port is bound here, not before',
      'no Chassis_Private.external_ids (since OVN 20.09): the agent registers in Chassis',
    ]))
})
