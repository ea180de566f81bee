import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type DriveFacts, type DriveReason, driveNeed } from './need.ts'

const PLAIN: DriveFacts = {
  configDrive: false,
  isForced: false,
  wasLaunched: false,
  hasDrive: false,
  imageProperty: undefined,
  hasAutomaticAddress: true,
}

describe('a server gets a config drive', () => {
  const cases: readonly { name: string; given: Partial<DriveFacts>; want: readonly DriveReason[] }[] = [
    { name: 'not without a reason', given: {}, want: [] },
    { name: 'when it asks for one', given: { configDrive: true }, want: ['config_drive'] },
    { name: 'when its image demands one', given: { imageProperty: 'mandatory' }, want: ['img_config_drive'] },
    { name: 'not when its image merely allows one', given: { imageProperty: 'optional' }, want: [] },
    { name: 'when all new servers get one', given: { isForced: true }, want: ['force_config_drive'] },
    { name: 'not when it was started before that was so', given: { isForced: true, wasLaunched: true }, want: [] },
    {
      name: 'when one was built at an earlier start, whatever the options say now',
      given: { wasLaunched: true, hasDrive: true },
      want: ['built-before'],
    },
    { name: 'when no subnet gives it an address', given: { hasAutomaticAddress: false }, want: ['no-dhcp'] },
    {
      name: 'for every reason there is, the most telling first',
      given: { configDrive: true, isForced: true, hasAutomaticAddress: false },
      want: ['config_drive', 'force_config_drive', 'no-dhcp'],
    },
  ]
  for (const { name, given, want } of cases)
    it(name, () => assert.deepEqual(driveNeed({ ...PLAIN, ...given }).reasons, want))
})
